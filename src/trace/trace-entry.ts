import { readSpanId } from '../model/span-id.ts';
import type { Verdict } from '../model/verdict.ts';
import { enclosingSpans } from './enclosing-spans.ts';
import { EntryRelease, readEnded } from './entry-release.ts';
import { SlotIndex } from './slot-index.ts';
import { SpanIdSet } from './span-id-set.ts';
import { ENDED, HAS_PARENT, NO_SLOT, OPEN, REMOTE, type SpanPool } from './span-pool.ts';
import { type SpanRecord, WireSpanRecord } from './span-record.ts';
import {
  MADE_BYTES,
  OPEN_SPAN_BYTES,
  RECORD_BYTES,
  SLOT_BYTES,
  TRACE_BYTES,
  verdictBytes,
} from './span-size.ts';
import type { MadeRun, ReleasedTrace, ReleaseReason } from './trace-buffer.ts';

/** What a trace over the wire has and lacks. */
export interface Completeness {
  /** A root without a parent was seen. */
  readonly hasRoot: boolean;
  /** A root with a parent in another process was seen. */
  readonly hasRemoteRoot: boolean;
  /** A parent that was not seen: none, only ones in other processes, or one of the same process. */
  readonly missing: 'none' | 'remote' | 'local';
}

/** Where the traces of a buffer keep their spans, and how their open ones are read. */
export interface SpanPlace {
  readonly pool: SpanPool;
  /** An open span as it is now; undefined where it can no longer be read. */
  snapshot(handle: object): SpanRecord | undefined;
}

/** One trace in the buffer: its spans, what of them was released, and what tells whether it is finished. */
export class TraceEntry {
  readonly traceId: string;
  firstArrival: number;
  lastArrival: number;
  /** Arrival, or start, of the first span that waits for a release. */
  pendingSince: number;
  /** When the buffer will look at it next. */
  checkAt = Number.POSITIVE_INFINITY;
  segment: number;
  /** Releases so far of this segment. */
  revision = 0;
  bytes = TRACE_BYTES;
  /** Whether it has an ended span that the last release did not. */
  isChanged = false;
  /** Spans that have started and not ended. */
  openCount = 0;
  /** All others. */
  spanCount = 0;
  /** Of those, the ones that wait for their first release. */
  freshCount = 0;
  /** Of those, tool and model calls. A trace without any makes no run, and most traces have none. */
  #callCount = 0;
  readonly #place: SpanPlace;
  readonly #pool: SpanPool;
  /** Its newest span; the others are chained to it. */
  #newest = NO_SLOT;
  #index: SlotIndex | undefined;
  /** A bit for each value of the last six bits of the ids of its spans. */
  #seenLow = 0;
  #seenHigh = 0;
  #context: readonly SpanRecord[] = [];
  #made: Map<string, MadeRun> | undefined;
  #earlierIds: SpanIdSet | undefined;
  #completeness: Completeness | undefined;
  /** Counts up when its slots change hands, so that nobody reads them any more for what they were. */
  epoch = 0;

  constructor(traceId: string, segment: number, now: number, place: SpanPlace) {
    this.traceId = traceId;
    this.segment = segment;
    this.firstArrival = now;
    this.lastArrival = now;
    this.pendingSince = now;
    this.#place = place;
    this.#pool = place.pool;
  }

  /** What was made of it, for whoever makes it again. */
  get made(): Map<string, MadeRun> {
    this.#made ??= new Map();
    return this.#made;
  }

  /** Whether there is anything to release, now or once it ends. */
  get isWaiting(): boolean {
    return this.isChanged || this.openCount > 0;
  }

  get completeness(): Completeness {
    this.#completeness ??= this.#findCompleteness();
    return this.#completeness;
  }

  /**
   * Notes a span that has started. Past `maxOpen` none is: whoever leaks so many spans gets no more of our memory.
   * @throws RangeError where the id is not 16 hex digits.
   */
  start(spanId: string, handle: object, now: number, maxOpen: number): void {
    const slot = this.#find(spanId);
    if (!this.isWaiting) this.pendingSince = now;
    this.lastArrival = now;
    if (slot !== NO_SLOT || this.openCount >= maxOpen || this.#isEarlier()) return;
    this.#add(handle);
    this.openCount++;
    this.bytes += OPEN_SPAN_BYTES;
  }

  /** Lets go of a span that has started. */
  abandon(spanId: string, now: number): void {
    const abandoned = this.#find(spanId);
    this.lastArrival = now;
    if (abandoned !== NO_SLOT && this.#pool.has(abandoned, OPEN)) {
      this.#removeOpen((slot) => slot === abandoned);
    }
  }

  /**
   * @returns whether the span was new; one that replaces its own open form is not.
   * @throws RangeError where an id is not 16 hex digits.
   */
  add(span: SpanRecord, now: number): boolean {
    let slot = span instanceof WireSpanRecord ? this.#findWire(span) : this.#find(span.spanId);
    const isOpen = slot !== NO_SLOT && this.#pool.has(slot, OPEN);
    const isKnown = slot === NO_SLOT ? this.#isEarlier() : !isOpen;
    this.lastArrival = now;
    if (isKnown && !this.#mayReplace(slot, span)) return false;
    if (!this.isWaiting) this.pendingSince = now;
    if (slot === NO_SLOT) slot = this.#add(undefined);
    else if (isOpen) {
      this.openCount--;
      this.bytes -= OPEN_SPAN_BYTES;
    } else this.#count(slot, -1);
    this.#pool.fill(slot, span);
    this.#count(slot, 1);
    this.#completeness = undefined;
    this.isChanged = true;
    if (isKnown) return false;
    this.spanCount++;
    this.freshCount++;
    return true;
  }

  /** Hands out the trace as it is; open spans as far as they can be read. */
  release(reason: ReleaseReason, missingParent: 'shared' | 'absent'): ReleasedTrace {
    this.revision++;
    if (this.revision === 1) this.bytes += MADE_BYTES;
    this.isChanged = false;
    const open = this.openCount === 0 ? NONE : this.#readOpen();
    // A span open for so long is never going to end; nothing is held for it any longer.
    if (reason === 'max_age') this.#removeOpen(() => true);
    // At the span limit open spans go on in the next segment, and so only enclose in this one.
    const goesOn = reason === 'span_limit';
    const released = new EntryRelease(this, this.#pool, this.#newest, {
      reason,
      missingParent,
      mayHoldRuns: this.#callCount > 0 || this.#made !== undefined || (!goesOn && open.some(isCall)),
      context: goesOn ? [...this.#context, ...open] : this.#context,
      open: goesOn ? NONE : open,
    });
    this.freshCount = 0;
    return released;
  }

  /** Starts the next segment, which knows what may still enclose its spans. */
  nextSegment(now: number, maxContext: number): void {
    const ended = readEnded(this.#pool, this.#newest);
    this.#context = enclosingSpans([...this.#context, ...ended], maxContext);
    this.#earlierIds = new SpanIdSet(this.spanCount);
    const open: number[] = [];
    for (let slot = this.#newest, next = slot; slot !== NO_SLOT; slot = next) {
      next = this.#pool.next(slot);
      if (this.#pool.has(slot, OPEN)) open.push(slot);
      else {
        this.#earlierIds.add(this.#pool.high(slot), this.#pool.low(slot));
        this.#pool.remove(slot);
      }
    }
    this.epoch++;
    this.#chain(open);
    this.#made = undefined;
    this.#completeness = undefined;
    this.spanCount = 0;
    this.#callCount = 0;
    this.segment++;
    this.revision = 0;
    this.firstArrival = now;
    this.bytes = TRACE_BYTES + this.#earlierIds.bytes + this.openCount * OPEN_SPAN_BYTES;
    for (const span of this.#context) this.bytes += RECORD_BYTES + verdictBytes(span.verdict);
  }

  /** Gives back what it holds; it is not to be used any more, nor are its releases that were not read. */
  forget(): void {
    for (let slot = this.#newest, next = slot; slot !== NO_SLOT; slot = next) {
      next = this.#pool.next(slot);
      this.#pool.remove(slot);
    }
    this.epoch++;
  }

  /** The slot of the span; `ID` holds its id from then on. */
  #find(spanId: string): number {
    if (!readSpanId(spanId, ID, 0)) throw new RangeError('a span id is not 16 hex digits');
    return this.#slotOf(ID[0] ?? 0, ID[1] ?? 0);
  }

  #findWire({ span }: WireSpanRecord): number {
    ID[0] = span.spanHigh;
    ID[1] = span.spanLow;
    return this.#slotOf(ID[0] ?? 0, ID[1] ?? 0);
  }

  #slotOf(high: number, low: number): number {
    if (this.#index !== undefined) return this.#index.find(high, low);
    // Most spans that are sought are new, and are not even looked for.
    return this.#mayHold(low) ? this.#pool.find(this.#newest, high, low) : NO_SLOT;
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

  /** Whether the span that was sought last is one of an earlier segment. */
  #isEarlier(): boolean {
    return this.#earlierIds?.has(ID[0] ?? 0, ID[1] ?? 0) === true;
  }

  /** Over the wire the end of a span may come after the span. */
  #mayReplace(slot: number, span: SpanRecord): boolean {
    return slot !== NO_SLOT && span.end !== undefined && !this.#pool.has(slot, ENDED);
  }

  /** Adds the span that was sought last. */
  #add(handle: object | undefined): number {
    const low = ID[1] ?? 0;
    const slot = this.#pool.add(ID[0] ?? 0, low, this.#newest, handle);
    this.#noteSeen(low);
    this.#newest = slot;
    if (this.#index !== undefined) this.#index.add(slot);
    else if (this.openCount + this.spanCount >= MAX_WALK) this.#index = new SlotIndex(this.#pool, slot);
    return slot;
  }

  /** Counts a span in or, with -1, out. */
  #count(slot: number, by: 1 | -1): void {
    const verdict = this.#pool.verdict(slot);
    if (isCallVerdict(verdict)) this.#callCount += by;
    this.bytes += by * (SLOT_BYTES + verdictBytes(verdict));
  }

  #readOpen(): readonly SpanRecord[] {
    const open: SpanRecord[] = [];
    for (let slot = this.#newest; slot !== NO_SLOT; slot = this.#pool.next(slot)) {
      const handle = this.#pool.has(slot, OPEN) ? this.#pool.handle(slot) : undefined;
      const span = handle && this.#place.snapshot(handle);
      if (span !== undefined) open.push(span);
    }
    return open;
  }

  #removeOpen(isUnwanted: (slot: number) => boolean): void {
    const kept: number[] = [];
    for (let slot = this.#newest, next = slot; slot !== NO_SLOT; slot = next) {
      next = this.#pool.next(slot);
      if (!this.#pool.has(slot, OPEN) || !isUnwanted(slot)) kept.push(slot);
      else {
        this.#pool.remove(slot);
        this.openCount--;
        this.bytes -= OPEN_SPAN_BYTES;
      }
    }
    this.#chain(kept);
  }

  /** Makes `slots` its chain, newest first. */
  #chain(slots: readonly number[]): void {
    this.#newest = NO_SLOT;
    for (const slot of slots.toReversed()) {
      this.#pool.setNext(slot, this.#newest);
      this.#newest = slot;
    }
    this.#index = slots.length > MAX_WALK ? new SlotIndex(this.#pool, this.#newest) : undefined;
  }

  #findCompleteness(): Completeness {
    const pool = this.#pool;
    let hasRoot = false;
    let hasRemoteRoot = false;
    let missing: Completeness['missing'] = 'none';
    for (let slot = this.#newest; slot !== NO_SLOT; slot = pool.next(slot)) {
      if (pool.has(slot, OPEN)) continue;
      if (!pool.has(slot, HAS_PARENT)) {
        hasRoot = true;
        continue;
      }
      const isRemote = pool.has(slot, REMOTE);
      if (isRemote) hasRemoteRoot = true;
      if (missing === 'local' || this.#isSeen(pool.parentHigh(slot), pool.parentLow(slot))) continue;
      missing = isRemote ? 'remote' : 'local';
    }
    return { hasRoot, hasRemoteRoot, missing };
  }

  /** Whether the span is there and has not merely started. */
  #isSeen(high: number, low: number): boolean {
    const slot = this.#slotOf(high, low);
    return slot !== NO_SLOT && !this.#pool.has(slot, OPEN);
  }
}

/** A chain of so many spans is walked, a longer one is indexed. */
const MAX_WALK = 32;
const NONE: readonly SpanRecord[] = [];
/** The id that was sought last, of whatever trace. */
const ID = new Uint32Array(2);

function isCallVerdict({ role }: Verdict): boolean {
  return role === 'tool' || role === 'llm';
}

function isCall({ verdict }: SpanRecord): boolean {
  return isCallVerdict(verdict);
}
