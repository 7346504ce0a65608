/**
 * Runs tasks of one key one after the other. When one fails, those that wait behind it fail with it where
 * `isShared` says that they would fail alike; so a wait never adds up timeouts.
 */
export class OneAtATime {
  readonly #isShared: (error: unknown) => boolean;
  readonly #lines = new Map<string, Waiting[]>();

  constructor(isShared: (error: unknown) => boolean) {
    this.#isShared = isShared;
  }

  async run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const line = this.#lines.get(key);
    if (line === undefined) this.#lines.set(key, []);
    else await new Promise<void>((begin, fail) => line.push({ begin, fail }));
    try {
      const result = await task();
      this.#next(key);
      return result;
    } catch (error) {
      if (this.#isShared(error)) for (const { fail } of this.#lines.get(key)?.splice(0) ?? []) fail(error);
      this.#next(key);
      throw error;
    }
  }

  #next(key: string): void {
    const next = this.#lines.get(key)?.shift();
    if (next === undefined) this.#lines.delete(key);
    else next.begin();
  }
}

interface Waiting {
  readonly begin: () => void;
  readonly fail: (error: unknown) => void;
}
