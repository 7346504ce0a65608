import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DeadlineQueue } from '../../src/support/deadline-queue.ts';

/** More than a new queue has room for, too. */
const times = fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 300 });

function drain(queue: DeadlineQueue<number>, now: number): readonly number[] {
  const due: number[] = [];
  for (let item = queue.popDue(now); item !== undefined; item = queue.popDue(now)) due.push(item);
  return due;
}

it('gives out what is due, earliest first, and nothing else', () => {
  fc.assert(
    fc.property(times, fc.integer({ min: 0, max: 20 }), (given, now) => {
      const queue = new DeadlineQueue<number>();
      for (const time of given) queue.push(time, time);
      const sorted = [...given].sort((a, b) => a - b);
      expect(drain(queue, now)).toEqual(sorted.filter((time) => time <= now));
      expect(drain(queue, 20)).toEqual(sorted.filter((time) => time > now));
    }),
  );
});

it('keeps its order when some are dropped', () => {
  fc.assert(
    fc.property(times, times, (given, later) => {
      const queue = new DeadlineQueue<number>();
      for (const time of given) queue.push(time, time);
      queue.retain((item) => item % 2 === 0);
      for (const time of later) queue.push(time, time);
      const kept = [...given.filter((time) => time % 2 === 0), ...later].sort((a, b) => a - b);
      expect(queue.size).toBe(kept.length);
      expect(drain(queue, 20)).toEqual(kept);
    }),
  );
});
