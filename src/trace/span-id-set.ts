import { hashOf } from './slot-index.ts';

/** A set of span ids that is made once: two numbers an id, in a hash table. */
export class SpanIdSet {
  readonly #table: Int32Array;
  readonly #mask: number;

  /** @param capacity how many ids it will hold at most. */
  constructor(capacity: number) {
    let places = 16;
    while (places < capacity * 2) places *= 2;
    this.#mask = places - 1;
    this.#table = new Int32Array(places * 2);
  }

  /** Bytes of its table. */
  get bytes(): number {
    return this.#table.byteLength;
  }

  add(high: number, low: number): void {
    const at = this.#find(high, low);
    this.#table[at * 2] = high;
    this.#table[at * 2 + 1] = low;
  }

  /** The id of all zeros, which no span has, is in every set that is not full. */
  has(high: number, low: number): boolean {
    const at = this.#find(high, low);
    return this.#table[at * 2 + 1] === low && this.#table[at * 2] === high;
  }

  /** Where the id is, or the free place where it would be. */
  #find(high: number, low: number): number {
    const table = this.#table;
    let at = hashOf(high, low) & this.#mask;
    for (;;) {
      const [h, l] = [table[at * 2] ?? 0, table[at * 2 + 1] ?? 0];
      if ((h === high && l === low) || (h === 0 && l === 0)) return at;
      at = (at + 1) & this.#mask;
    }
  }
}
