import type { Check, TraceEntry } from './trace-entry.ts';

/**
 * The traces that were released and are kept, the longest ago first. Most leave from the front, so it is a row: those
 * that leave elsewhere are passed over, or taken out when they are many.
 */
export class ReleaseOrder {
  #row: Check[] = [];
  #front = 0;
  /** How long the row may get before what is gone is taken out. */
  #limit = MIN_LIMIT;

  /** A trace was released. Where it is in the order already, it stays where it is. */
  add(entry: TraceEntry): void {
    if (entry.isInReleaseOrder) return;
    entry.isInReleaseOrder = true;
    this.#row.push(entry.check);
    if (this.#row.length <= this.#limit) return;
    this.#row = this.#row.slice(this.#front).filter(({ entry }) => entry !== undefined);
    this.#front = 0;
    this.#limit = 2 * this.#row.length + MIN_LIMIT;
  }

  /** Takes out the first one; undefined where there is none. */
  shift(): TraceEntry | undefined {
    while (this.#front < this.#row.length) {
      const entry = this.#row[this.#front++]?.entry;
      if (entry === undefined) continue;
      entry.isInReleaseOrder = false;
      return entry;
    }
    return undefined;
  }

  /** How many traces are held, those that are gone included. */
  get places(): number {
    return this.#row.length;
  }

  clear(): void {
    this.#row = [];
    this.#front = 0;
    this.#limit = MIN_LIMIT;
  }
}

const MIN_LIMIT = 1_000;
