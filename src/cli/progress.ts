import type { Output } from './output.ts';

/** One line that is written over again and again; only on a terminal, and never more than ten times a second. */
export class Progress {
  readonly #err: Output;
  #shownAt = Number.NEGATIVE_INFINITY;
  #isShown = false;

  constructor(err: Output) {
    this.#err = err;
  }

  /** @param text made only where it is shown; must be safe to print. */
  show(text: () => string): void {
    const now = performance.now();
    if (!this.#err.isTerminal || now - this.#shownAt < 100) return;
    this.#shownAt = now;
    this.#isShown = true;
    this.#err.write(`\r${this.#err.style.dim(text())}\x1b[K`);
  }

  /** Takes the line away. */
  clear(): void {
    if (this.#isShown) this.#err.write('\r\x1b[K');
    this.#isShown = false;
  }
}
