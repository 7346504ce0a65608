import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ReleaseOrder } from '../../src/trace/release-order.ts';
import { SpanPool } from '../../src/trace/span-pool.ts';
import { TraceEntry } from '../../src/trace/trace-entry.ts';
import { traceIdOf } from '../support/spans.ts';

const place = { pool: new SpanPool(), snapshot: () => undefined };
const MAX = 12;
const step = fc.tuple(fc.constantFrom('add', 'remove', 'clear first'), fc.nat(MAX));

function entriesIn(order: ReleaseOrder): TraceEntry[] {
  const entries: TraceEntry[] = [];
  for (let entry = order.first; entry !== undefined; entry = entry.releasedNext) entries.push(entry);
  return entries;
}

it('holds what was added and not removed, what was added last in the end', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const order = new ReleaseOrder();
      const entries = Array.from(
        { length: MAX + 1 },
        (_, at) => new TraceEntry(traceIdOf(`${at}`), 1, 0, place),
      );
      let expected: TraceEntry[] = [];
      for (const [what, at] of steps) {
        const entry = (what === 'clear first' ? order.first : undefined) ?? (entries[at] as TraceEntry);
        expected = expected.filter((other) => other !== entry);
        if (what === 'add') {
          order.add(entry);
          expected.push(entry);
        } else order.remove(entry);
        expect(entriesIn(order).map((found) => entries.indexOf(found))).toEqual(
          expected.map((found) => entries.indexOf(found)),
        );
      }
    }),
  );
});
