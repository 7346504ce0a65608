/** Counts what is under way, for whoever waits until nothing is. */
export class InFlight {
  #count = 0;
  #onIdle: () => void = () => {};

  begin(): void {
    this.#count++;
  }

  end(): void {
    this.#count--;
    if (this.#count === 0) this.#onIdle();
  }

  get count(): number {
    return this.#count;
  }

  /** Resolves when nothing is under way, and no later than the timeout. One caller at a time. */
  async idle(timeoutMillis: number): Promise<void> {
    if (this.#count === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMillis);
      this.#onIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
