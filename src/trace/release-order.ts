import type { TraceEntry } from './trace-entry.ts';

/**
 * Traces in the order in which they were released last, the longest ago first. They are linked to one another, as there
 * are tens of thousands of them: to hash each into a Set costs more than all else that a release takes.
 */
export class ReleaseOrder {
  #first: TraceEntry | undefined;
  #last: TraceEntry | undefined;

  /** The others follow by `releasedNext`. */
  get first(): TraceEntry | undefined {
    return this.#first;
  }

  /** Puts a trace last, wherever it was before. */
  add(entry: TraceEntry): void {
    this.remove(entry);
    entry.releasedBefore = this.#last;
    if (this.#last === undefined) this.#first = entry;
    else this.#last.releasedNext = entry;
    this.#last = entry;
  }

  /** Takes a trace out, if it is there. */
  remove(entry: TraceEntry): void {
    const { releasedBefore: before, releasedNext: next } = entry;
    if (before !== undefined) before.releasedNext = next;
    else if (this.#first === entry) this.#first = next;
    if (next !== undefined) next.releasedBefore = before;
    else if (this.#last === entry) this.#last = before;
    entry.releasedBefore = undefined;
    entry.releasedNext = undefined;
  }

  clear(): void {
    this.#first = undefined;
    this.#last = undefined;
  }
}
