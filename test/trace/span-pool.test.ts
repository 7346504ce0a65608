import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_TIME, NumericSpan, plainSpan } from '../../src/model/numeric-span.ts';
import { UNRECOGNISED } from '../../src/model/shared-verdict.ts';
import type { Span } from '../../src/model/span.ts';
import { readSpanId, spanIdHash, spanIdOf } from '../../src/model/span-id.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { SlotIndex } from '../../src/trace/slot-index.ts';
import { ENDED, NO_SLOT, OPEN } from '../../src/trace/span-chunk.ts';
import { NOWHERE, SpanIdMap } from '../../src/trace/span-id-map.ts';
import { SpanPool } from '../../src/trace/span-pool.ts';
import { type SpanRecord, spanRecordOf } from '../../src/trace/span-record.ts';

const HEX = '0123456789abcdef';
const hexId = fc.string({ unit: fc.constantFrom(...HEX), minLength: 16, maxLength: 16 });
const time = fc.tuple(fc.integer({ min: 0, max: 253_402_300_799 }), fc.integer({ min: 0, max: 999_999_999 }));

const NO_ID = 'no id';

interface Given
  extends Pick<Span, 'spanId' | 'parentSpanId' | 'parentIsRemote' | 'start' | 'end' | 'isError'> {
  readonly resource: Span['resource'];
  readonly verdict: Verdict;
  readonly callId: string | undefined;
  readonly agentOverride: string | undefined;
}

const given: fc.Arbitrary<Given> = fc.record({
  spanId: hexId,
  parentSpanId: fc.oneof(hexId, fc.constantFrom(undefined, NO_ID)),
  parentIsRemote: fc.constantFrom(undefined, false, true),
  start: time,
  end: fc.option(time, { nil: undefined }),
  isError: fc.boolean(),
  // Some are the same object, as the spans of one resource have.
  resource: fc.oneof(
    fc.constantFrom({ identity: 'a', serviceName: 'a' }, { identity: 'b', serviceName: undefined }),
    fc.record({ identity: fc.string(), serviceName: fc.constantFrom(undefined, 'service') }),
  ),
  verdict: fc.constantFrom<Verdict>(
    UNRECOGNISED,
    { role: 'none', rule: 'test' },
    { role: 'tool', rule: 'test', name: 'search' },
  ),
  callId: fc.constantFrom(undefined, 'call_1', 'call_2'),
  agentOverride: fc.constantFrom(undefined, 'planner'),
});

function recordOf({ verdict, callId, agentOverride, ...span }: Given): SpanRecord {
  const rest = { traceId: '', name: '', kind: 0, scopeName: '', attributes: {} } as const;
  return spanRecordOf({ ...rest, ...span }, { verdict, callId }, agentOverride);
}

function numbersOf(id: string): readonly [number, number] {
  const numbers = new Int32Array(2);
  expect(readSpanId(id, numbers, 0)).toBe(true);
  return [numbers[0] ?? 0, numbers[1] ?? 0];
}

describe('span ids as numbers', () => {
  it('come back as they were, in lower case', () => {
    fc.assert(
      fc.property(hexId, fc.boolean(), (id, isUpper) => {
        expect(spanIdOf(...numbersOf(isUpper ? id.toUpperCase() : id))).toBe(id);
      }),
    );
  });

  it('are not made of anything else', () => {
    const notAnId = fc.string({ unit: 'grapheme' }).filter((text) => !/^[0-9a-f]{16}$/i.test(text));
    fc.assert(
      fc.property(notAnId, hexId, fc.nat({ max: 15 }), (text, id, at) => {
        expect(readSpanId(text, new Int32Array(2), 0)).toBe(false);
        expect(readSpanId(`${id.slice(0, at)}g${id.slice(at + 1)}`, new Int32Array(2), 0)).toBe(false);
        expect(readSpanId(`${id}0`, new Int32Array(2), 0)).toBe(false);
      }),
    );
  });
});

describe('SpanPool', () => {
  const step = fc.constantFrom('start', 'come', 'fill again', 'remove');

  it('gives every span back as it was filled in, whatever was removed and added meanwhile', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(given, step, fc.nat()), { maxLength: 60 }), (steps) => {
        const pool = new SpanPool();
        const held = new Map<number, SpanRecord>();
        for (const [details, kind, choice] of steps) {
          const span = recordOf(details);
          const chosen = [...held.keys()][choice % held.size];
          if (chosen !== undefined && kind === 'remove') {
            pool.remove(chosen);
            held.delete(chosen);
          } else if (chosen !== undefined && kind === 'fill again') {
            const again = recordOf({ ...details, spanId: held.get(chosen)?.spanId ?? '' });
            pool.fill(chosen, again);
            held.set(chosen, again);
          } else {
            const handle = kind === 'start' ? {} : undefined;
            const slot = pool.add(...numbersOf(span.spanId), NO_SLOT, handle);
            expect(held.has(slot)).toBe(false);
            expect(pool.has(slot, OPEN)).toBe(true);
            expect(pool.handle(slot)).toBe(handle);
            pool.fill(slot, span);
            held.set(slot, span);
          }
          for (const [known, wanted] of held) {
            expect(pool.record(known)).toEqual(wanted);
            expect(pool.record(known).spanId).toBe(wanted.spanId);
            expect(pool.record(known).parentSpanId).toBe(wanted.parentSpanId);
            expect(pool.record(known).resource).toBe(wanted.resource);
            expect(pool.verdict(known)).toBe(wanted.verdict);
            expect(pool.callId(known)).toBe(wanted.callId);
            expect(pool.has(known, OPEN)).toBe(false);
            expect(pool.has(known, ENDED)).toBe(wanted.end !== undefined);
          }
        }
      }),
    );
  });

  it('holds a span in numbers as it holds the same span in text', () => {
    const bits = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    const nanos = fc.integer({ min: 0, max: 999_999_999 });
    // Few seconds, so that many a span ends before it starts, or within its first second.
    const numbers = fc.record({
      spanHigh: bits,
      spanLow: bits,
      parentHigh: fc.oneof(bits, fc.constant(0)),
      parentLow: fc.oneof(bits, fc.constant(0)),
      startSeconds: fc.integer({ min: 0, max: 2 }),
      startNanos: nanos,
      endSeconds: fc.integer({ min: NO_TIME, max: 2 }),
      endNanos: nanos,
      statusCode: fc.nat({ max: 2 }),
      flags: fc.constantFrom(0, 0x100, 0x200, 0x300),
    });
    fc.assert(
      fc.property(numbers, fc.constantFrom(undefined, 'planner'), (given, agentOverride) => {
        const numeric = Object.assign(
          new NumericSpan('', { identity: 'a', serviceName: undefined }, {}),
          given,
        );
        const verdict = { role: 'tool', rule: 'test', name: 'search' } as const;
        const [asNumbers, asText] = [numeric, plainSpan(numeric)].map((span) => {
          const kept = spanRecordOf(span, { verdict, callId: 'call_1' }, agentOverride);
          const pool = new SpanPool();
          const slot = pool.add(...numbersOf(kept.spanId), NO_SLOT, undefined);
          pool.fill(slot, kept);
          return { held: pool.record(slot), end: kept.end, start: kept.start };
        });
        expect(asNumbers).toEqual(asText);
      }),
      { numRuns: 1_000 },
    );
  });

  it('uses places again, and keeps apart what lies in different chunks', () => {
    const pool = new SpanPool();
    for (let round = 0; round < 3; round++) {
      const slots = Array.from({ length: 5_000 }, (_, n) => pool.add(round, n, NO_SLOT, { n }));
      expect(new Set(slots).size).toBe(5_000);
      expect(Math.max(...slots)).toBeLessThan(6_144);
      slots.forEach((slot, n) => {
        expect([pool.high(slot), pool.low(slot), pool.handle(slot)]).toEqual([round, n, { n }]);
      });
      for (const slot of slots) pool.remove(slot);
    }
  });
});

describe.each([
  [
    'walking the chain',
    (pool: SpanPool, chain: number) => (id: string) => pool.find(chain, ...numbersOf(id)),
  ],
  [
    'by the index',
    (pool: SpanPool, chain: number) => {
      const index = new SlotIndex(pool, chain);
      return (id: string) => index.find(...numbersOf(id));
    },
  ],
] as const)('finding a span, %s', (_, finder) => {
  it('finds each span of the chain and no other', () => {
    const ids = fc.uniqueArray(
      fc.oneof(
        hexId,
        fc.nat().map((n) => spanIdOf(0, n)),
      ),
      { maxLength: 300 },
    );
    fc.assert(
      fc.property(ids, ids, (known, others) => {
        const pool = new SpanPool();
        const slots = new Map<string, number>();
        let chain = NO_SLOT;
        for (const id of known) {
          chain = pool.add(...numbersOf(id), chain, undefined);
          slots.set(id, chain);
        }
        const find = finder(pool, chain);
        for (const id of [...known, ...others]) expect(find(id)).toBe(slots.get(id) ?? NO_SLOT);
      }),
      { numRuns: 50 },
    );
  });
});

describe('places of span ids', () => {
  // By a fixed rule of multiplications, such as there was, each of these ids would have the place of all others.
  const unmultiply = (factor: number) => {
    let inverse = factor;
    for (let step = 0; step < 5; step++) inverse = Math.imul(inverse, 2 - Math.imul(factor, inverse));
    return inverse;
  };
  const collidingHigh = (low: number) =>
    Math.imul(Math.imul(low, 0x85ebca77), unmultiply(0x9e3779b1)) ^ (low >>> 15);

  it.each<[string, (n: number) => readonly [high: number, low: number]]>([
    ['count up', (n) => [0, n]],
    ['count up in the first half', (n) => [n, 7]],
    ['count up in steps', (n) => [0, n << 16]],
    ['are made to fall into one', (n) => [collidingHigh(n), n]],
  ])('are as many as there are ids that %s', (_, idOfNumber) => {
    const count = 4_096;
    const places = new Set(
      Array.from({ length: count }, (_, n) => spanIdHash(...idOfNumber(n)) & (2 * count - 1)),
    );
    // Of random places about 3,224 would be taken.
    expect(places.size).toBeGreaterThan(2_500);
  });
});

describe('SpanIdMap', () => {
  // Few, so that some come twice; and that of which all bits are 0.
  const id = fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: -20, max: 20 }));
  const entries = fc.array(fc.tuple(id, fc.nat({ max: 2 ** 31 - 2 })), { maxLength: 150 });

  it('holds what was set last and nothing else, also where it is used again', () => {
    fc.assert(
      fc.property(fc.array(entries, { minLength: 1, maxLength: 4 }), fc.array(id), (uses, others) => {
        const map = new SpanIdMap(uses[0]?.length);
        for (const use of uses) {
          map.reset(use.length);
          const wanted = new Map<string, number>();
          for (const [[high, low], number] of use) {
            map.set(high, low, number);
            wanted.set(`${high} ${low}`, number);
          }
          for (const [high, low] of [...use.map(([id]) => id), ...others, [0, 0] as const]) {
            expect(map.get(high, low)).toBe(wanted.get(`${high} ${low}`) ?? NOWHERE);
          }
        }
      }),
    );
  });
});

describe('a record of a span of this process', () => {
  it('has the ids that it was made with, and no parent but one that may be', () => {
    fc.assert(
      fc.property(fc.array(given), (several) => {
        // One after another, since that of the last parent is remembered.
        for (const details of several) {
          const { spanId, parentSpanId, hasParent, parentHigh, parentLow } = recordOf(details);
          expect(spanId).toBe(details.spanId);
          expect(hasParent).toBe(details.parentSpanId !== undefined);
          if (details.parentSpanId === NO_ID) expect([parentHigh, parentLow]).toEqual([0, 0]);
          else expect(parentSpanId).toBe(details.parentSpanId);
        }
      }),
    );
  });

  it('is not made where the span has no id', () => {
    const span = { start: [0, 0], end: [0, 0], parentSpanId: undefined, parentIsRemote: undefined } as const;
    const rest = { isError: false, resource: { identity: '', serviceName: undefined } };
    const make = () =>
      recordOf({
        ...span,
        ...rest,
        spanId: 'x',
        verdict: UNRECOGNISED,
        callId: undefined,
        agentOverride: undefined,
      });
    expect(make).toThrow(new RangeError('a span id is not 16 hex digits'));
  });
});
