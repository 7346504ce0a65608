import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { RunRecord } from '../../src/model/run-record.ts';
import { runRecordBytes } from '../../src/model/run-record-bytes.ts';
import { formatRunRecord } from '../../src/model/run-record-json.ts';
import type { Time } from '../../src/model/time.ts';

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('a', '~', '\x7f', '\x80', '\xe9', '\xff', '"') }),
  fc.string({ minLength: 60, maxLength: 70 }),
);
const time: fc.Arbitrary<Time> = fc.tuple(
  fc.integer({ min: -1_000, max: 4_000_000_000 }),
  fc.oneof(
    fc.constant(0),
    fc.nat(999).map((n) => n * 1_000_000),
    fc.nat(999_999).map((n) => n * 1_000),
    fc.nat(999_999_999),
  ),
);
const count = fc.oneof(fc.nat(), fc.double({ min: 0, noNaN: true }));
const run: fc.Arbitrary<RunRecord> = fc.record(
  {
    id: text,
    agentId: text,
    startedAt: time,
    endedAt: time,
    minOverlapMillis: count,
    crossResourceOverlapMillis: count,
    calls: fc.array(
      fc.record(
        {
          kind: fc.constantFrom('tool', 'llm'),
          name: text,
          startedAt: time,
          endedAt: time,
          scope: text,
          resource: text,
          outputTokens: count,
          promptTokens: count,
          totalTokens: count,
          modelName: text,
          toolCallCount: count,
        },
        { requiredKeys: ['kind', 'name', 'startedAt'] },
      ),
    ),
  },
  { requiredKeys: ['id', 'agentId', 'startedAt', 'calls'] },
);

it('are those of the JSON of the record', () => {
  fc.assert(
    fc.property(run, (record) => {
      expect(Buffer.from(runRecordBytes(record)).toString()).toBe(JSON.stringify(formatRunRecord(record)));
    }),
    { numRuns: 1_000 },
  );
});
