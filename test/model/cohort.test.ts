import fc from 'fast-check';
import { expect, it } from 'vitest';
import { cohortKey, cohortOf, isContained } from '../../src/model/cohort.ts';
import { compareUtf8 } from '../../src/model/utf8.ts';

const names = fc.array(fc.constantFrom('a', 'b', 'c', 'a|b', '"', '\u{1f600}', '\uff5e'), { maxLength: 8 });

it('is the same whatever the order of its names', () => {
  fc.assert(
    fc.property(names, (given) => {
      expect(cohortOf([...given].reverse())).toEqual(cohortOf(given));
    }),
  );
});

it('has a key that no other multiset has', () => {
  fc.assert(
    fc.property(names, names, (a, b) => {
      const sorted = (list: readonly string[]) => JSON.stringify([...list].sort(compareUtf8));
      expect(cohortOf(a).key === cohortOf(b).key).toBe(sorted(a) === sorted(b));
    }),
  );
  expect(cohortKey(['a', 'b'])).not.toBe(cohortKey(['a|b']));
});

it('keeps its key for ever, because stores count by it', () => {
  expect(cohortKey(['fetch', 'search'])).toMatchInlineSnapshot(`"079b221a7f029cae668b6fb24821c99d"`);
});

it('lies within another as a multiset', () => {
  fc.assert(
    fc.property(names, names, (part, whole) => {
      const count = (list: readonly string[], name: string) => list.filter((other) => other === name).length;
      const expected = part.every((name) => count(part, name) <= count(whole, name));
      expect(isContained(cohortOf(part).names, cohortOf(whole).names)).toBe(expected);
    }),
    { numRuns: 1_000 },
  );
});
