import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TraceTable } from '../../src/trace/trace-table.ts';

interface Entry {
  readonly traceId: string;
  readonly n: number;
}

/** `a`, `A` and `!` are the same to the hash, so of these ids many meet in one place. */
const meetingIds = fc.stringMatching(/^[aA!b]{1,3}$/);
/** Of these all digits cancel out, which leaves nothing to go by. */
const emptyIds = fc.constantFrom('', 'ab'.repeat(32), 'c'.repeat(64));
const traceIds = fc.stringMatching(/^0{30}[0-9a-f]{2}$/);
const steps = fc.array(
  fc.record({
    id: fc.oneof(meetingIds, emptyIds, traceIds),
    what: fc.constantFrom('set', 'set', 'set', 'delete', 'get'),
  }),
  { size: 'large', maxLength: 600 },
);

it('holds what a Map does', () => {
  fc.assert(
    fc.property(steps, (given) => {
      const table = new TraceTable<Entry>();
      const map = new Map<string, Entry>();
      given.forEach(({ id, what }, n) => {
        const entry = { traceId: id, n };
        if (what === 'set') {
          table.set(entry);
          map.set(id, entry);
        } else if (what === 'delete') {
          table.delete(id);
          map.delete(id);
        }
        expect(table.get(id)).toBe(map.get(id));
        expect(table.size).toBe(map.size);
      });
      for (const [id, entry] of map) expect(table.get(id)).toBe(entry);
      expect(new Set(table.values())).toEqual(new Set(map.values()));
      table.clear();
      expect([table.size, ...table.values()]).toEqual([0]);
      for (const id of map.keys()) expect(table.get(id)).toBeUndefined();
    }),
  );
});

it('grows and shrinks with what it holds, and finds all of it at any size', () => {
  const table = new TraceTable<Entry>();
  const idOf = (n: number) => n.toString(16).padStart(32, '0');
  for (let n = 0; n < 20_000; n++) table.set({ traceId: idOf(n), n });
  for (let n = 0; n < 20_000; n++) expect(table.get(idOf(n))?.n).toBe(n);
  for (let n = 0; n < 19_990; n++) table.delete(idOf(n));
  expect(table.size).toBe(10);
  expect([...table.values()].map(({ n }) => n).sort((a, b) => a - b)).toEqual(
    Array.from({ length: 10 }, (_, at) => 19_990 + at),
  );
  for (let n = 0; n < 20_000; n++) expect(table.get(idOf(n))?.n).toBe(n < 19_990 ? undefined : n);
});
