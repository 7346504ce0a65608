import { spanIdHash } from '../model/span-id.ts';
import { NO_SLOT } from './span-chunk.ts';
import type { SpanPool } from './span-pool.ts';

/** Finds the slot of a span by its id where a chain is too long to be walked: a hash table that holds slots only. */
export class SlotIndex {
  readonly #pool: SpanPool;
  #table = new Int32Array(128).fill(NO_SLOT);
  #size = 0;

  /** Indexes all slots of the chain. */
  constructor(pool: SpanPool, chain: number) {
    this.#pool = pool;
    for (let slot = chain; slot !== NO_SLOT; slot = pool.next(slot)) this.add(slot);
  }

  find(high: number, low: number): number {
    const mask = this.#table.length - 1;
    for (let at = spanIdHash(high, low) & mask; ; at = (at + 1) & mask) {
      const slot = this.#table[at] ?? NO_SLOT;
      if (slot === NO_SLOT) return NO_SLOT;
      if (this.#pool.low(slot) === low && this.#pool.high(slot) === high) return slot;
    }
  }

  add(slot: number): void {
    this.#size++;
    if (this.#size * 2 > this.#table.length) this.#grow();
    this.#place(slot);
  }

  #place(slot: number): void {
    const mask = this.#table.length - 1;
    let at = spanIdHash(this.#pool.high(slot), this.#pool.low(slot)) & mask;
    while (this.#table[at] !== NO_SLOT) at = (at + 1) & mask;
    this.#table[at] = slot;
  }

  #grow(): void {
    const old = this.#table;
    this.#table = new Int32Array(old.length * 2).fill(NO_SLOT);
    for (const slot of old) if (slot !== NO_SLOT) this.#place(slot);
  }
}
