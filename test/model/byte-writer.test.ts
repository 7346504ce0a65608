import { expect, it } from 'vitest';
import { ByteWriter } from '../../src/model/byte-writer.ts';

const MIB = 1_048_576;

it('writes texts of any length, whatever was written before', () => {
  for (const length of [1, 64, 65, 1_365, 4_090, 4_096, 100_000]) {
    for (const character of ['a', '"', '\xe9', '\uff5e', '\u{1f600}']) {
      const text = character.repeat(length);
      const out = new ByteWriter();
      for (const write of [() => out.json(text), () => out.utf8(text), () => out.json('end')]) write();
      expect(Buffer.from(out.view()).toString()).toBe(`${JSON.stringify(text)}${text}"end"`);
    }
  }
});

it('keeps the memory of what it wrote, but for a lot', () => {
  const out = new ByteWriter();
  out.utf8('a'.repeat(10_000));
  const { buffer } = out.view();
  out.clear();
  expect(out.view().buffer).toBe(buffer);
  out.utf8('a'.repeat(2 * MIB));
  expect(out.view().buffer.byteLength).toBeGreaterThan(MIB);
  out.clear();
  expect(out.view().buffer.byteLength).toBeLessThan(MIB);
});
