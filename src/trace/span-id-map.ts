import { spanIdHash } from '../model/span-id.ts';

/** Stands for no number. */
export const NOWHERE = -1;

/** Numbers from 0 to 2^31 - 2 by span id, in a hash table that holds nothing else. */
export class SpanIdMap {
  /** Three cells a place: the halves of the id, and one more than the number, so that 0 is a place that is free. */
  #table = new Int32Array(MIN_PLACES * CELLS);
  #mask = MIN_PLACES - 1;

  /** @param capacity how many ids it will hold at most. */
  constructor(capacity = 0) {
    this.reset(capacity);
  }

  /** Forgets all, and has room for so many from then on. */
  reset(capacity: number): void {
    let places = MIN_PLACES;
    while (places < capacity * 2) places *= 2;
    if (places * CELLS > this.#table.length) this.#table = new Int32Array(places * CELLS);
    else this.#table.fill(0, 0, places * CELLS);
    this.#mask = places - 1;
  }

  /** Bytes of its table. */
  get bytes(): number {
    return this.#table.byteLength;
  }

  set(high: number, low: number, number: number): void {
    const cell = this.#find(high, low);
    this.#table[cell] = high;
    this.#table[cell + 1] = low;
    this.#table[cell + 2] = number + 1;
  }

  /** NOWHERE where there is none. */
  get(high: number, low: number): number {
    return (this.#table[this.#find(high, low) + 2] ?? 0) - 1;
  }

  /** Where the id is, or the free place where it would be. */
  #find(high: number, low: number): number {
    const table = this.#table;
    for (let place = spanIdHash(high, low) & this.#mask; ; place = (place + 1) & this.#mask) {
      const cell = place * CELLS;
      if (table[cell + 2] === 0 || (table[cell] === high && table[cell + 1] === low)) return cell;
    }
  }
}

/** A power of two. */
const MIN_PLACES = 16;
const CELLS = 3;
