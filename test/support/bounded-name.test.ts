import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundedName } from '../../src/support/bounded-name.ts';

const hashOf = (name: string) => createHash('sha256').update(name, 'utf8').digest('hex').slice(0, 12);

describe('boundedName', () => {
  it('counts bytes and not characters', () => {
    const name = '\uff5e'.repeat(86);
    expect(Buffer.byteLength(boundedName(name))).toBeLessThanOrEqual(256);
    expect(boundedName(name.slice(1))).toBe(name.slice(1));
  });

  it('keeps what fits', () => {
    for (const name of ['', 'search', 'поиск', '🔎', 'x'.repeat(256), '€'.repeat(85)])
      expect(boundedName(name)).toBe(name);
  });

  it('cuts what does not, and ends it in a hash of the whole', () => {
    const name = 'x'.repeat(257);
    expect(boundedName(name)).toBe(`${'x'.repeat(243)}~${hashOf(name)}`);
  });

  it('cuts between characters', () => {
    const name = '🔎'.repeat(100);
    expect(boundedName(name)).toBe(`${'🔎'.repeat(60)}~${hashOf(name)}`);
  });

  it('replaces surrogates that stand alone', () => {
    expect(boundedName('a\ud800b')).toBe('a\ufffdb');
  });

  it('is bounded, well-formed and stable for any name, and tells long names apart', () => {
    const longName = fc.string({ unit: 'binary', minLength: 0, maxLength: 600 });
    fc.assert(
      fc.property(longName, (name) => {
        const bounded = boundedName(name);
        expect(Buffer.byteLength(bounded)).toBeLessThanOrEqual(256);
        expect(Buffer.from(bounded).toString()).toBe(bounded);
        expect(boundedName(bounded)).toBe(bounded);
        expect(boundedName(`${name}${'a'.repeat(300)}`)).not.toBe(boundedName(`${name}${'a'.repeat(299)}b`));
      }),
    );
  });
});
