import type { Clock } from '../../src/support/clock.ts';

/** A clock that stands still until it is moved; whoever holds it ticks by hand. */
export class ManualClock implements Clock {
  #now = 1_000;

  now(): number {
    return this.#now;
  }

  every(): () => void {
    return () => {};
  }

  advance(millis: number): void {
    this.#now += millis;
  }
}
