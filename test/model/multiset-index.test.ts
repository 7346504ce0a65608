import fc from 'fast-check';
import { expect, it } from 'vitest';
import { cohortOf, isContained } from '../../src/model/cohort.ts';
import { MultisetIndex } from '../../src/model/multiset-index.ts';

const names = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 6 });

it('finds a larger multiset around another exactly where one was added', () => {
  fc.assert(
    fc.property(fc.array(names, { maxLength: 8 }), names, (added, asked) => {
      const index = new MultisetIndex();
      for (const each of added) index.add(each);
      const part = cohortOf(asked).names;
      const expected = added.some(
        (each) => each.length > asked.length && isContained(part, cohortOf(each).names),
      );
      expect(index.holds(asked)).toBe(expected);
    }),
    { numRuns: 1_000 },
  );
});
