import { SlotIndex } from './slot-index.ts';
import { NO_SLOT } from './span-chunk.ts';
import type { SpanPool } from './span-pool.ts';

/** The spans of one trace in the pool: a chain of slots, the newest first, in which a span is found by its id. */
export class SpanChain {
  readonly #pool: SpanPool;
  #newest = NO_SLOT;
  #size = 0;
  #index: SlotIndex | undefined;
  /** A bit for each value of the last six bits of the ids that were added. */
  #seenLow = 0;
  #seenHigh = 0;

  constructor(pool: SpanPool) {
    this.#pool = pool;
  }

  /** Its first slot, from which `pool.next` leads to the others; NO_SLOT where it is empty. */
  get newest(): number {
    return this.#newest;
  }

  /** The slot of the span; NO_SLOT where there is none. */
  find(high: number, low: number): number {
    if (this.#index !== undefined) return this.#index.find(high, low);
    // Most spans that are sought are new, and are not even looked for.
    return this.#mayHold(low) ? this.#pool.find(this.#newest, high, low) : NO_SLOT;
  }

  /** @param handle what stands for the span while it is open. */
  add(high: number, low: number, handle: object | undefined): number {
    const slot = this.#pool.add(high, low, this.#newest, handle);
    this.#newest = slot;
    this.#noteSeen(low);
    if (this.#index !== undefined) this.#index.add(slot);
    else if (this.#size >= MAX_WALK) this.#index = new SlotIndex(this.#pool, slot);
    this.#size++;
    return slot;
  }

  /** Gives back the slots of which `isUnwanted` says so, and keeps the others in their order. */
  remove(isUnwanted: (slot: number) => boolean): void {
    const kept: number[] = [];
    for (let slot = this.#newest, next = slot; slot !== NO_SLOT; slot = next) {
      next = this.#pool.next(slot);
      if (isUnwanted(slot)) this.#pool.remove(slot);
      else kept.push(slot);
    }
    this.#newest = NO_SLOT;
    for (const slot of kept.toReversed()) {
      this.#pool.setNext(slot, this.#newest);
      this.#newest = slot;
    }
    this.#size = kept.length;
    this.#index = kept.length > MAX_WALK ? new SlotIndex(this.#pool, this.#newest) : undefined;
  }

  /** Gives back all slots. */
  clear(): void {
    for (let slot = this.#newest, next = slot; slot !== NO_SLOT; slot = next) {
      next = this.#pool.next(slot);
      this.#pool.remove(slot);
    }
    this.#newest = NO_SLOT;
    this.#size = 0;
    this.#index = undefined;
  }

  /** Whether a span was added whose id ends in the same six bits. */
  #mayHold(low: number): boolean {
    const seen = (low & 32) === 0 ? this.#seenLow : this.#seenHigh;
    return (seen & (1 << (low & 31))) !== 0;
  }

  #noteSeen(low: number): void {
    if ((low & 32) === 0) this.#seenLow |= 1 << (low & 31);
    else this.#seenHigh |= 1 << (low & 31);
  }
}

/** A chain of so many spans is walked, a longer one is indexed. */
const MAX_WALK = 32;
