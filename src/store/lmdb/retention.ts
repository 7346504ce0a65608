import type { StoreLimits } from '../limits.ts';

/** How much is kept of an agent, and since when. */
export class Retention {
  readonly limits: StoreLimits;
  readonly now: () => number;

  constructor(limits: StoreLimits, now: () => number) {
    this.limits = limits;
    this.now = now;
  }

  appliedSince(): number {
    return this.now() - this.limits.appliedRunTtlSeconds * 1_000;
  }

  runsSince(): number {
    return this.now() - this.limits.runTtlSeconds * 1_000;
  }
}
