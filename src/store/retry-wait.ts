/** The waits before tries of what fails: each up to twice as long as the one before, so that tries spread out. */
export class RetryWait {
  readonly #range: RetryRange;
  readonly #then: () => void;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param then is called at the end of each wait that is not cut short. */
  constructor(range: RetryRange, then: () => void) {
    this.#range = range;
    this.#then = then;
  }

  /** Without it, it is being tried, or about to be. */
  get isWaiting(): boolean {
    return this.#timer !== undefined;
  }

  /** Waits after one more failure. */
  begin(): void {
    this.#failures++;
    const { minRetryMillis, maxRetryMillis } = this.#range;
    const longest = Math.min(maxRetryMillis, minRetryMillis * 2 ** Math.min(this.#failures, 30));
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#then();
      },
      longest * (0.5 + Math.random() / 2),
    ).unref();
  }

  cutShort(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

interface RetryRange {
  readonly minRetryMillis: number;
  readonly maxRetryMillis: number;
}
