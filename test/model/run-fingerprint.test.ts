import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fingerprintOf } from '../../src/model/run-fingerprint.ts';
import type { CallRecord, RunRecord } from '../../src/model/run-record.ts';
import { formatRunRecord } from '../../src/model/run-record-json.ts';

const time = fc.tuple(
  fc.integer({ min: 1_700_000_000, max: 1_900_000_000 }),
  fc.integer({ min: 0, max: 999_999_999 }),
);
const text = fc.constantFrom('', 'a', 'b', 'ab', 'search', 'searc', 'h');

const call = fc.record(
  {
    kind: fc.constantFrom('tool', 'llm'),
    name: text,
    startedAt: time,
    endedAt: time,
    scope: text,
    resource: text,
    outputTokens: fc.nat({ max: 3 }),
    promptTokens: fc.maxSafeNat(),
    totalTokens: fc.nat({ max: 3 }),
    modelName: text,
    toolCallCount: fc.nat({ max: 3 }),
  },
  { requiredKeys: ['kind', 'name', 'startedAt'] },
) as fc.Arbitrary<CallRecord>;

const run = fc.record(
  {
    id: fc.constant('one'),
    agentId: text,
    startedAt: time,
    endedAt: time,
    calls: fc.array(call, { maxLength: 4 }),
    minOverlapMillis: fc.constantFrom(0.5, 2, 2.25),
    crossResourceOverlapMillis: fc.constantFrom(2, 50),
  },
  { requiredKeys: ['id', 'agentId', 'startedAt', 'calls'] },
) as fc.Arbitrary<RunRecord>;

it('is the same for the same run, and another for another', () => {
  fc.assert(
    fc.property(run, run, (a, b) => {
      const isSame = JSON.stringify(formatRunRecord(a)) === JSON.stringify(formatRunRecord(b));
      expect(fingerprintOf(a)).toBe(fingerprintOf(structuredClone(a)));
      expect(fingerprintOf(a) === fingerprintOf(b)).toBe(isSame);
      expect(Number.isSafeInteger(fingerprintOf(a))).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

it.each<[string, Partial<RunRecord>, Partial<RunRecord>]>([
  ['a fraction', { minOverlapMillis: 2.25 }, { minOverlapMillis: 2.5 }],
  ['the overlap between processes', { crossResourceOverlapMillis: 2 }, { crossResourceOverlapMillis: 50 }],
  ['the high bits of a time', { startedAt: [2 ** 33 + 7, 0] }, { startedAt: [2 ** 34 + 7, 0] }],
])('tells runs apart that differ in %s', (_, one, other) => {
  const before: RunRecord = { id: 'one', agentId: 'planner', startedAt: [1, 0], calls: [] };
  expect(fingerprintOf({ ...before, ...one })).not.toBe(fingerprintOf({ ...before, ...other }));
});

it('is never shared by runs of one kind', () => {
  const count = 10_000;
  const seen = new Set<number>();
  for (let n = 0; n < count; n++) {
    seen.add(fingerprintOf({ id: 'one', agentId: 'planner', startedAt: [1_795_352_484, n], calls: [] }));
  }
  expect(seen.size).toBe(count);
});

it('tells runs apart that differ in a single field', () => {
  fc.assert(
    fc.property(run, call, fc.nat(), (before, other, choice) => {
      fc.pre(before.calls.length > 0);
      const index = choice % before.calls.length;
      for (const field of Object.keys(other) as (keyof CallRecord)[]) {
        const calls = before.calls.map((known, at) =>
          at === index ? { ...known, [field]: other[field] } : known,
        );
        const after = { ...before, calls } as RunRecord;
        const isSame = JSON.stringify(formatRunRecord(before)) === JSON.stringify(formatRunRecord(after));
        // An empty text or a time equal by chance is the same run.
        if (!isSame) expect(fingerprintOf(after)).not.toBe(fingerprintOf(before));
      }
    }),
    { numRuns: 1_000 },
  );
});
