import { charCode } from '../support/char-code.ts';
import { nodeCrypto } from '../support/digest.ts';

/** What is kept of a trace. */
interface OfTrace {
  readonly traceId: string;
}

/**
 * What is kept of traces, by their ids. Traces are many and their next spans come at random, so a look-up finds nothing
 * in the processor's cache: a Map reads a chain of texts from all over the heap for it, this one row of numbers, and a
 * text only where it is the one that is sought. Entries are in no order.
 */
export class TraceTable<Entry extends OfTrace> {
  /** The hash of what stands in a place; 0 where nothing does. */
  #hashes = new Int32Array(MIN_PLACES);
  #entries: (Entry | undefined)[] = new Array(MIN_PLACES).fill(undefined);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(traceId: string): Entry | undefined {
    return this.#entries[this.#find(traceId)];
  }

  /** Takes the place of what was there for the same trace. */
  set(entry: Entry): void {
    const at = this.#find(entry.traceId);
    if (this.#hashes[at] === 0) {
      this.#size++;
      this.#hashes[at] = hashOf(entry.traceId);
    }
    this.#entries[at] = entry;
    if (this.#size * 2 > this.#hashes.length) this.#resize(this.#hashes.length * 2);
  }

  delete(traceId: string): void {
    const at = this.#find(traceId);
    if (this.#hashes[at] === 0) return;
    this.#empty(at);
    this.#size--;
    // A quarter of what it grows at, so that one trace more or less is not paid for again and again.
    if (this.#size * 8 < this.#hashes.length && this.#hashes.length > MIN_PLACES) {
      this.#resize(this.#hashes.length / 2);
    }
  }

  clear(): void {
    this.#hashes = new Int32Array(MIN_PLACES);
    this.#entries = new Array(MIN_PLACES).fill(undefined);
    this.#size = 0;
  }

  /** Not to be changed meanwhile. */
  *values(): Generator<Entry, void, undefined> {
    for (const entry of this.#entries) if (entry !== undefined) yield entry;
  }

  /** Where the trace stands, or else the free place where it would. */
  #find(traceId: string): number {
    const hashes = this.#hashes;
    const mask = hashes.length - 1;
    const hash = hashOf(traceId);
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const found = hashes[at];
      if (found === 0 || (found === hash && this.#entries[at]?.traceId === traceId)) return at;
    }
  }

  /** Moves up what stands behind the place, as far as it would be sought there. */
  #empty(place: number): void {
    const hashes = this.#hashes;
    const mask = hashes.length - 1;
    let hole = place;
    for (let at = (hole + 1) & mask; ; at = (at + 1) & mask) {
      const hash = hashes[at] ?? 0;
      if (hash === 0) break;
      const isAway = ((at - hash) & mask) >= ((at - hole) & mask);
      if (!isAway) continue;
      hashes[hole] = hash;
      this.#entries[hole] = this.#entries[at];
      hole = at;
    }
    hashes[hole] = 0;
    this.#entries[hole] = undefined;
  }

  #resize(places: number): void {
    const hashes = this.#hashes;
    const entries = this.#entries;
    this.#hashes = new Int32Array(places);
    this.#entries = new Array(places).fill(undefined);
    for (let from = 0; from < hashes.length; from++) {
      const hash = hashes[from] ?? 0;
      if (hash === 0) continue;
      let at = hash & (places - 1);
      while (this.#hashes[at] !== 0) at = (at + 1) & (places - 1);
      this.#hashes[at] = hash;
      this.#entries[at] = entries[from];
    }
  }
}

/** A power of two. */
const MIN_PLACES = 64;

/**
 * Random bits for each digit in each place of an id, of which those of an id's digits make its hash: simple tabulation
 * (Patrascu and Thorup, 2012), which spreads any ids well, and nobody who sends ids knows how.
 */
let bits: Int32Array | undefined;

let lastId = '';
let lastHash = 1;

/** Never 0. Of an id that is no hex digits it is a poor one. */
function hashOf(traceId: string): number {
  // A trace that is not found here is mostly sought elsewhere next.
  if (traceId === lastId) return lastHash;
  bits ??= nodeCrypto().randomFillSync(new Int32Array(32 * 32));
  let hash = 0;
  for (let at = 0; at < traceId.length; at++) {
    hash ^= bits[((at & 31) << 5) | (charCode(traceId, at) & 31)] ?? 0;
  }
  lastId = traceId;
  lastHash = hash === 0 ? 1 : hash;
  return lastHash;
}
