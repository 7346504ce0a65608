import { setTimeout as sleep } from 'node:timers/promises';

/** Shares the time that there is for stopping, so that all of it together takes no longer. */
export class ShutdownBudget {
  readonly #deadline: number;
  /** For whatever is done last: connections and files are closed, the process ends. */
  readonly #closingMillis: number;

  constructor(millis: number) {
    this.#deadline = performance.now() + millis;
    this.#closingMillis = Math.min(750, millis / 4);
  }

  /** What is left for learning and delivering. */
  get workMillis(): number {
    return Math.max(0, this.#deadline - this.#closingMillis - performance.now());
  }

  /** What is given to requests whose end has not come yet: they are worth less than what was taken. */
  get inFlightMillis(): number {
    return this.workMillis / 4;
  }

  /** Waits until it is done, or all of the time is over. */
  async await(closing: Promise<void>): Promise<void> {
    const abort = new AbortController();
    const millis = Math.max(0, this.#deadline - performance.now());
    const late = sleep(millis, undefined, { signal: abort.signal }).catch(() => {});
    await Promise.race([closing, late]);
    abort.abort();
  }
}
