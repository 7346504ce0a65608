import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ReleaseOrder } from '../../src/trace/release-order.ts';
import { SpanPool } from '../../src/trace/span-pool.ts';
import { TraceEntry } from '../../src/trace/trace-entry.ts';
import { traceIdOf } from '../support/spans.ts';

const place = { pool: new SpanPool(), snapshot: () => undefined };
const entryOf = (index: number) => new TraceEntry(traceIdOf(`t${index}`), 1, 0, place);

const MAX = 40;
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('add' as const), at: fc.nat(MAX) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('forget' as const), at: fc.nat(MAX) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('shift' as const), at: fc.constant(0) }) },
);

it('gives back what was added and is not gone, the first first', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const order = new ReleaseOrder();
      const entries = Array.from({ length: MAX + 1 }, (_, index) => entryOf(index));
      let expected: TraceEntry[] = [];
      for (const { do: what, at } of steps) {
        const entry = entries[at] as TraceEntry;
        if (what === 'add') {
          order.add(entry);
          if (!expected.includes(entry)) expected.push(entry);
        } else if (what === 'forget') {
          entry.forget();
          expected = expected.filter((other) => other !== entry);
          entries[at] = entryOf(at);
        } else expect(order.shift()).toBe(expected.shift());
      }
      for (const entry of expected) expect(order.shift()).toBe(entry);
      expect(order.shift()).toBeUndefined();
    }),
  );
});

it('lets go of traces that are gone, from wherever they leave', () => {
  const order = new ReleaseOrder();
  const kept: TraceEntry[] = [];
  for (let index = 0; index < 50_000; index++) {
    const entry = entryOf(index);
    order.add(entry);
    if (index % 100 === 0) kept.push(entry);
    else entry.forget();
    expect(order.places).toBeLessThanOrEqual(2 * kept.length + 1_001);
  }
  for (const entry of kept) expect(order.shift()).toBe(entry);
});
