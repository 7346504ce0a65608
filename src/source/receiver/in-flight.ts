/** Requests that are under way, for whoever waits until none is. */
export class InFlight<Request> {
  readonly #requests = new Set<Request>();
  #onIdle: () => void = () => {};

  begin(request: Request): void {
    this.#requests.add(request);
  }

  end(request: Request): void {
    if (this.#requests.delete(request) && this.#requests.size === 0) this.#onIdle();
  }

  /**
   * Resolves when nothing is under way, and no later than the timeout. What is left shortly before is given up, so that
   * it is answered all the same. One caller at a time.
   */
  async finish(timeoutMillis: number, giveUp: (request: Request) => void): Promise<void> {
    const graceMillis = Math.min(MAX_GRACE_MILLIS, timeoutMillis / 4);
    await this.#idle(timeoutMillis - graceMillis);
    for (const request of [...this.#requests]) giveUp(request);
    await this.#idle(graceMillis);
  }

  async #idle(timeoutMillis: number): Promise<void> {
    if (this.#requests.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMillis);
      this.#onIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** For answers to be read by senders that are still sending. */
const MAX_GRACE_MILLIS = 500;
