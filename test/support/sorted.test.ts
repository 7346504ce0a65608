import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sortInPlace } from '../../src/support/sorted.ts';

describe('sortInPlace', () => {
  // Few keys, so that many are equal; their places tell them apart.
  const key = fc.integer({ min: 0, max: 20 });
  const anyOrder = fc.array(key, { maxLength: 100 });
  const nearlySorted = fc.tuple(anyOrder, key, fc.nat()).map(([keys, moved, place]) => {
    const sorted = keys.toSorted((a, b) => a - b);
    return sorted.toSpliced(place % (sorted.length + 1), 0, moved);
  });

  it('sorts as the engine does, and leaves what is equal in its order', () => {
    fc.assert(
      fc.property(fc.oneof(anyOrder, nearlySorted), (keys) => {
        const items = keys.map((key, place) => ({ key, place }));
        const byKey = (a: { key: number }, b: { key: number }) => a.key - b.key;
        const list = [...items];
        expect(sortInPlace(list, byKey)).toBe(list);
        expect(list).toEqual(items.toSorted(byKey));
      }),
      { numRuns: 1_000 },
    );
  });

  it('compares what comes in order once, and what ends with its first not much more often', () => {
    let compared = 0;
    const sort = (list: number[]) => {
      compared = 0;
      sortInPlace(list, (a, b) => {
        compared++;
        return a - b;
      });
      return compared;
    };
    const inOrder = Array.from({ length: 1_000 }, (_, index) => index + 1);
    expect(sort([...inOrder])).toBe(999);
    expect(sort([...inOrder, 0])).toBe(1_999);
    expect(sort(inOrder.toReversed())).toBeLessThan(10_000);
  });
});
