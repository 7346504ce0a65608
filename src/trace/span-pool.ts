import { NO_TIME } from '../model/numeric-span.ts';
import type { Verdict } from '../model/verdict.ts';
import {
  CELLS,
  CHUNK_BITS,
  Chunk,
  ENDED,
  ERROR,
  FLAGS,
  HAS_PARENT,
  IN_CHUNK,
  LOW,
  NEXT,
  NO_SLOT,
  OPEN,
  OVERRIDDEN,
  PARENT_HIGH,
  PARENT_LOW,
  REMOTE,
} from './span-chunk.ts';
import { NumericSpanRecord, PlainSpanRecord, type SpanRecord } from './span-record.ts';

/**
 * Holds the spans of all buffered traces in tables rather than as objects, which takes a tenth of the heap and leaves
 * the garbage collector nothing to walk. A span is known by its slot; the slots of a trace are chained.
 *
 *     add (open) → fill → record, as often as wanted → remove
 */
export class SpanPool {
  readonly #chunks: Chunk[] = [];
  /** Chunks with a free slot. */
  readonly #roomy: Chunk[] = [];
  /** Chunks without a span. */
  #unused = 0;
  /** Agents' names by a user's own rule, which hardly anyone has. */
  readonly #overrides = new Map<number, string>();

  /**
   * Takes a slot for a span, chained before the slot `next`. It is open until it is filled.
   * @param handle what stands for the span until then.
   */
  add(high: number, low: number, next: number, handle: object | undefined): number {
    const chunk = this.#roomy.at(-1) ?? this.#addChunk();
    const at = chunk.free;
    const { cells } = chunk;
    const cell = at * CELLS;
    chunk.free = cells[cell + NEXT] ?? NO_SLOT;
    if (chunk.used++ === 0) this.#unused--;
    if (chunk.free === NO_SLOT) this.#roomy.pop();
    cells[cell] = high;
    cells[cell + LOW] = low;
    cells[cell + NEXT] = next;
    cells[cell + FLAGS] = handle === undefined ? OPEN : OPEN | chunk.holdObject(at, handle);
    return chunk.firstSlot + at;
  }

  /** Writes an ended span (over the wire: any span) into its slot. */
  fill(slot: number, record: SpanRecord): void {
    const chunk = this.#chunkOf(slot);
    const at = slot & IN_CHUNK;
    const { cells, times } = chunk;
    const cell = at * CELLS;
    const before = cells[cell + FLAGS] ?? 0;
    let flags =
      record instanceof NumericSpanRecord
        ? fillNumericTimes(times, at, record)
        : fillTimes(times, at, record);
    if (record.hasParent) {
      flags |= HAS_PARENT;
      cells[cell + PARENT_HIGH] = record.parentHigh;
      cells[cell + PARENT_LOW] = record.parentLow;
    }
    if (record.parentIsRemote) flags |= REMOTE;
    if (record.isError) flags |= ERROR;
    if (record.agentOverride !== undefined) {
      flags |= OVERRIDDEN;
      this.#overrides.set(slot, record.agentOverride);
    } else if ((before & OVERRIDDEN) !== 0) this.#overrides.delete(slot);
    flags |= chunk.hold(at, record.resource, record.verdict, record.callId, before);
    cells[cell + FLAGS] = flags;
  }

  /** Gives the slot back. */
  remove(slot: number): void {
    const chunk = this.#chunkOf(slot);
    const at = slot & IN_CHUNK;
    const { cells } = chunk;
    const flags = cells[at * CELLS + FLAGS] ?? 0;
    if ((flags & OVERRIDDEN) !== 0) this.#overrides.delete(slot);
    chunk.letGo(at, flags);
    if (chunk.free === NO_SLOT) this.#roomy.push(chunk);
    cells[at * CELLS + NEXT] = chunk.free;
    chunk.free = at;
    chunk.used--;
    if (chunk.used > 0) return;
    chunk.forgetResource();
    this.#unused++;
    // Some are kept for the next traces.
    if (this.#unused > 1 + this.#chunks.length / 4) this.#letGo(chunk);
  }

  /** The slot after `slot` in its chain. */
  next(slot: number): number {
    return this.#chunkOf(slot).cells[(slot & IN_CHUNK) * CELLS + NEXT] ?? NO_SLOT;
  }

  setNext(slot: number, next: number): void {
    this.#chunkOf(slot).cells[(slot & IN_CHUNK) * CELLS + NEXT] = next;
  }

  high(slot: number): number {
    return this.#chunkOf(slot).cells[(slot & IN_CHUNK) * CELLS] ?? 0;
  }

  low(slot: number): number {
    return this.#chunkOf(slot).cells[(slot & IN_CHUNK) * CELLS + LOW] ?? 0;
  }

  parentHigh(slot: number): number {
    return this.#chunkOf(slot).cells[(slot & IN_CHUNK) * CELLS + PARENT_HIGH] ?? 0;
  }

  parentLow(slot: number): number {
    return this.#chunkOf(slot).cells[(slot & IN_CHUNK) * CELLS + PARENT_LOW] ?? 0;
  }

  /** Whether all of `flags` hold for the span. */
  has(slot: number, flags: number): boolean {
    return ((this.#chunkOf(slot).cells[(slot & IN_CHUNK) * CELLS + FLAGS] ?? 0) & flags) === flags;
  }

  /** The first slot of the chain from `slot` on whose span has this id. */
  find(slot: number, high: number, low: number): number {
    let at = slot;
    while (at !== NO_SLOT) {
      const { cells } = this.#chunkOf(at);
      const cell = (at & IN_CHUNK) * CELLS;
      if (cells[cell + LOW] === low && cells[cell] === high) return at;
      at = cells[cell + NEXT] ?? NO_SLOT;
    }
    return NO_SLOT;
  }

  /** What was given for a span that is still open. */
  handle(slot: number): object | undefined {
    return this.#chunkOf(slot).objectAt(slot & IN_CHUNK);
  }

  verdict(slot: number): Verdict {
    return this.#chunkOf(slot).verdictAt(slot & IN_CHUNK);
  }

  callId(slot: number): string | undefined {
    return this.#chunkOf(slot).callIdAt(slot & IN_CHUNK);
  }

  /** The span as it was filled in. */
  record(slot: number): SpanRecord {
    const chunk = this.#chunkOf(slot);
    const at = slot & IN_CHUNK;
    const { cells, times } = chunk;
    const cell = at * CELLS;
    const flags = cells[cell + FLAGS] ?? 0;
    const hasParent = (flags & HAS_PARENT) !== 0;
    return new PlainSpanRecord(
      cells[cell] ?? 0,
      cells[cell + LOW] ?? 0,
      hasParent ? (cells[cell + PARENT_HIGH] ?? 0) : 0,
      hasParent ? (cells[cell + PARENT_LOW] ?? 0) : 0,
      hasParent,
      (flags & REMOTE) !== 0,
      [times[at * 4] ?? 0, times[at * 4 + 1] ?? 0],
      (flags & ENDED) === 0 ? undefined : [times[at * 4 + 2] ?? 0, times[at * 4 + 3] ?? 0],
      (flags & ERROR) !== 0,
      chunk.resourceAt(at, flags),
      chunk.verdictAt(at),
      chunk.callIdAt(at),
      (flags & OVERRIDDEN) === 0 ? undefined : this.#overrides.get(slot),
    );
  }

  #chunkOf(slot: number): Chunk {
    // Every slot that was handed out lies in a chunk.
    return this.#chunks[slot >>> CHUNK_BITS] as Chunk;
  }

  #addChunk(): Chunk {
    const known = this.#chunks.findIndex(isGone);
    const index = known < 0 ? this.#chunks.length : known;
    const chunk = new Chunk(index << CHUNK_BITS);
    this.#chunks[index] = chunk;
    this.#roomy.push(chunk);
    this.#unused++;
    return chunk;
  }

  #letGo(chunk: Chunk): void {
    this.#unused--;
    this.#roomy.splice(this.#roomy.indexOf(chunk), 1);
    this.#chunks[chunk.firstSlot >>> CHUNK_BITS] = GONE;
  }
}

/** @returns which of its times there are. */
function fillTimes(times: Float64Array, at: number, { start, end }: SpanRecord): number {
  times[at * 4] = start[0];
  times[at * 4 + 1] = start[1];
  if (end === undefined) return 0;
  times[at * 4 + 2] = end[0];
  times[at * 4 + 3] = end[1];
  return ENDED;
}

/** The same, without making tuples of what came as numbers. */
function fillNumericTimes(times: Float64Array, at: number, { span, endsEarly }: NumericSpanRecord): number {
  times[at * 4] = span.startSeconds;
  times[at * 4 + 1] = span.startNanos;
  if (span.endSeconds === NO_TIME) return 0;
  times[at * 4 + 2] = endsEarly ? span.startSeconds : span.endSeconds;
  times[at * 4 + 3] = endsEarly ? span.startNanos : span.endNanos;
  return ENDED;
}

function isGone(chunk: Chunk): boolean {
  return chunk.isGone;
}

const GONE = new Chunk(0, 0);
