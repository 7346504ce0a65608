import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attributeNames } from '../../src/conventions/attribute-names.ts';
import { createRecogniser } from '../../src/conventions/recognise.ts';
import { KeyFilter } from '../../src/source/otlp/key-filter.ts';

function mayBeWanted(filter: KeyFilter, key: string): boolean {
  // Amid other bytes, as it lies in a body.
  const bytes = Buffer.from(`..${key}..`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return filter.mayBeWanted(view, 2, bytes.length - 4);
}

const part = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('gen_ai.', '.kind', 'tool', 'é'),
);
const name = fc.oneof(
  part,
  fc.tuple(part, part).map(([start, end]) => `${start}*${end}`),
);

describe('KeyFilter', () => {
  it('lets every key pass that is wanted', () => {
    let wanted = 0;
    fc.assert(
      fc.property(fc.array(name, { maxLength: 4 }), part, fc.array(part), (names, middle, keys) => {
        const { wants } = attributeNames([], names);
        const filter = new KeyFilter(names);
        for (const key of [...keys, ...names.map((each) => each.replace('*', middle))]) {
          if (!wants(key)) continue;
          wanted++;
          expect(mayBeWanted(filter, key)).toBe(true);
        }
      }),
      { numRuns: 2_000 },
    );
    expect(wanted).toBeGreaterThan(1_000);
  });

  it('lets every key pass where nobody can list what is wanted', () => {
    expect(mayBeWanted(new KeyFilter(undefined), 'http.route')).toBe(true);
  });

  it.each(['http.request.method', 'url.full', 'db.query.text', 'server.address', 'user_agent.original'])(
    'stops %s, which no convention reads',
    (key) => {
      expect(mayBeWanted(new KeyFilter(createRecogniser().attributes.wants.names), key)).toBe(false);
    },
  );
});
