import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CarriedBytes } from '../../src/source/otlp/carried-bytes.ts';

it('keeps what each was given, however much, and whoever had its memory before', () => {
  const step = fc.record({
    who: fc.nat({ max: 2 }),
    what: fc.constantFrom('add', 'add', 'add', 'drop', 'give back'),
    bytes: fc.oneof(fc.nat({ max: 20_000 }), fc.nat({ max: 300_000 })),
  });
  const state = () => ({ carried: CarriedBytes.take(), wanted: Buffer.alloc(0) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const states = [state(), state(), state()];
      steps.forEach(({ who, what, bytes }, n) => {
        const own = states[who] ?? state();
        if (what === 'add') {
          const given = Buffer.alloc(bytes + 2, n + 1);
          own.carried.add(given, 1, bytes + 1);
          own.wanted = Buffer.concat([own.wanted, given.subarray(1, bytes + 1)]);
        } else if (what === 'drop') {
          const dropped = Math.min(bytes, own.wanted.length);
          own.carried.drop(dropped);
          own.wanted = own.wanted.subarray(dropped);
        } else {
          own.carried.giveBack();
          states[who] = state();
        }
        for (const { carried, wanted } of states) {
          expect(carried.size).toBe(wanted.length);
          expect(wanted.equals(carried.reader.body.subarray(0, carried.size))).toBe(true);
        }
      });
      for (const { carried } of states) carried.giveBack();
    }),
  );
});
