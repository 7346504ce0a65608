import { DeadlineQueue } from '../support/deadline-queue.ts';
import type { Check, TraceEntry } from './trace-entry.ts';

/** Which trace is to be looked at when. */
export class CheckQueue {
  /** What stands for traces: these would outlive their time in there by hours. */
  readonly #checks = new DeadlineQueue<Check>();

  /**
   * Sees to it that a trace is looked at by then.
   * @param traces how many there are.
   */
  add(entry: TraceEntry, at: number, traces: number): void {
    if (entry.checkAt !== undefined && at >= entry.checkAt) return;
    entry.checkAt = at;
    this.#checks.push(entry.check, at);
    // What is left of traces long gone, and of earlier dates, must not outgrow the traces themselves.
    if (this.#checks.size > 2 * traces + 1_000) {
      this.#checks.retain(({ entry }, due) => entry?.checkAt === due);
    }
  }

  /** Takes out the next trace that is to be looked at by now; undefined where there is none. */
  take(now: number): TraceEntry | undefined {
    for (;;) {
      const check = this.#checks.popDue(now);
      if (check === undefined) return undefined;
      const { entry } = check;
      if (entry?.checkAt === undefined || entry.checkAt > now) continue;
      entry.checkAt = undefined;
      return entry;
    }
  }

  clear(): void {
    this.#checks.clear();
  }
}
