import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readRunFile } from '../../src/source/files/run-files.ts';

function run(id: string): Record<string, unknown> {
  const call = { kind: 'tool', name: 'search', started_at: '2026-11-22T13:01:24.000000001Z' };
  return {
    id,
    agent_id: 'planner',
    started_at: '2026-11-22T13:01:24Z',
    min_overlap_ms: 1.5e-7,
    calls: [call],
  };
}

async function read(content: string | Uint8Array): Promise<unknown[]> {
  const items: unknown[] = [];
  for await (const item of readRunFile(Readable.from([Buffer.from(content)]))) {
    items.push('run' in item ? item.run.id : item.problem);
  }
  return items;
}

describe('readRunFile', () => {
  it.each([
    ['one run', JSON.stringify(run('a')), ['a']],
    ['one run, indented', JSON.stringify(run('a'), null, 2), ['a']],
    ['an array', JSON.stringify([run('a'), run('b')], null, 2), ['a', 'b']],
    ['one run a line', `${JSON.stringify(run('a'))}\n${JSON.stringify(run('b'))}\n`, ['a', 'b']],
    ['nothing', '', []],
  ])('reads %s', async (_, content, ids) => {
    expect(await read(content)).toEqual(ids);
    expect(await read(gzipSync(content))).toEqual(ids);
  });

  it('reads times to the nanosecond and numbers as numbers', async () => {
    const runs = [];
    const text = JSON.stringify(run('a')).replace('1.5e-7', '1.234567890123456e-7');
    for await (const item of readRunFile(Readable.from([Buffer.from(text)]))) runs.push(item);
    expect(runs).toEqual([
      {
        run: expect.objectContaining({ minOverlapMillis: 1.234567890123456e-7, startedAt: [1795352484, 0] }),
      },
    ]);
    expect(runs[0]).toHaveProperty('run.calls.0.startedAt', [1795352484, 1]);
  });

  it('names what is no RunRecord, and reads the others', async () => {
    const lines = [
      run('a'),
      { ...run('b'), started_at: 'secret' },
      { ...run('c'), calls: ['secret'] },
      'secret',
      run('d'),
    ];
    expect(await read(lines.map((json) => JSON.stringify(json)).join('\n'))).toEqual([
      'a',
      { file: '-', line: 2, reason: 'expected a RunRecord, but started_at is not an RFC 3339 time' },
      { file: '-', line: 3, reason: 'expected a RunRecord, but calls[0] is not an object' },
      { file: '-', line: 4, reason: 'expected a RunRecord, but the run is not an object' },
      'd',
    ]);
  });

  it('names the byte of what is no JSON', async () => {
    const text = `[${JSON.stringify(run('a'))}, {"secret" 1}]`;
    expect(await read(text)).toEqual(['a', { file: '-', byte: text.indexOf('1}'), reason: 'expected ":"' }]);
  });

  it('names a file that is not there', async () => {
    const items = [];
    for await (const item of readRunFile('no/such/file.json')) items.push(item);
    expect(items).toEqual([{ problem: { file: 'no/such/file.json', reason: 'there is no such file' } }]);
  });

  it('says of binary data that it is no JSON', async () => {
    expect(await read(Uint8Array.of(0x0a, 0x02, 0x12, 0x00))).toEqual([
      expect.objectContaining({ reason: 'expected a value' }),
    ]);
  });
});
