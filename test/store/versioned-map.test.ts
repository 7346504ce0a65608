import fc from 'fast-check';
import { expect, it } from 'vitest';
import { VersionedMap } from '../../src/store/versioned-map.ts';

const key = fc.constantFrom('a', 'b', 'c', 'd');
const changes = fc
  .dictionary(key, fc.option(fc.nat(), { nil: undefined }))
  .map((each) => new Map(Object.entries(each)));

it('keeps every version as it was, whichever is changed or read, in whatever order', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(), changes), { maxLength: 20 }),
      fc.array(fc.nat()),
      (steps, reads) => {
        const versions = [VersionedMap.of<number>(new Map([['a', 1]]))];
        const plain = [new Map([['a', 1]])];
        for (const [pick, change] of steps) {
          const from = pick % versions.length;
          const next = new Map(plain[from]);
          for (const [name, value] of change) {
            if (value === undefined) next.delete(name);
            else next.set(name, value);
          }
          const version = versions[from]?.with(change);
          if (version !== undefined) versions.push(version);
          if (version !== undefined) plain.push(next);
        }
        for (const read of [...reads, ...versions.keys()]) {
          const at = read % versions.length;
          const version = versions[at];
          expect(new Map(version)).toEqual(plain[at]);
          expect(version?.size).toBe(plain[at]?.size);
          expect(version?.get('a')).toBe(plain[at]?.get('a'));
        }
      },
    ),
  );
});

it('does not change the map that it was made from', () => {
  const map = new Map([['a', 1]]);
  VersionedMap.of(map).with(new Map([['a', 2]]));
  expect(map).toEqual(new Map([['a', 1]]));
});
