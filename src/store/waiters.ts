/** Those who wait for something to come true, for a time at most. */
export class Waiters {
  readonly #checks = new Set<() => void>();

  /** Resolves once `isTrue` at the beginning or at a `check`, or when `timeoutMillis` have passed. */
  async until(isTrue: () => boolean, timeoutMillis: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        this.#checks.delete(check);
        resolve();
      };
      const check = () => {
        if (isTrue()) finish();
      };
      // Not unref'ed: someone awaits this, and it ends by itself.
      const timer = setTimeout(finish, timeoutMillis);
      this.#checks.add(check);
      check();
    });
  }

  check(): void {
    for (const check of this.#checks) check();
  }
}
