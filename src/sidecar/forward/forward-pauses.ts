/** A longer timer would ring at once. */
const MAX_TIMER_MILLIS = 2 ** 31 - 1;

/** Waits between tries, which may be cut short. */
export class ForwardPauses {
  readonly #wakers = new Set<(isForced: boolean) => void>();

  /** @param asked how much of it the upstream asked for; only `end` cuts that short. */
  async pause(millis: number, asked: number): Promise<void> {
    const began = performance.now();
    await new Promise<void>((resolve) => {
      let timer: NodeJS.Timeout;
      const ringIn = (wait: number) => {
        clearTimeout(timer);
        timer = setTimeout(finish, Math.min(wait, MAX_TIMER_MILLIS)).unref();
      };
      const finish = () => {
        clearTimeout(timer);
        this.#wakers.delete(waker);
        resolve();
      };
      const waker = (isForced: boolean) => {
        const left = began + asked - performance.now();
        if (left <= 0 || isForced) finish();
        else ringIn(left);
      };
      this.#wakers.add(waker);
      ringIn(millis);
    });
  }

  /** Ends what waits only by its own choice. */
  wake(): void {
    for (const waker of [...this.#wakers]) waker(false);
  }

  end(): void {
    for (const waker of [...this.#wakers]) waker(true);
  }
}
