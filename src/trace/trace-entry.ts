import { mustReadSpanId } from '../model/span-id.ts';
import type { Verdict } from '../model/verdict.ts';
import { type Completeness, completenessOf } from './completeness.ts';
import { enclosingSpans } from './enclosing-spans.ts';
import { EntryRelease, readEnded } from './entry-release.ts';
import { SpanChain } from './span-chain.ts';
import { ENDED, NO_SLOT, OPEN } from './span-chunk.ts';
import { NOWHERE, SpanIdMap } from './span-id-map.ts';
import type { SpanPool } from './span-pool.ts';
import type { SpanRecord } from './span-record.ts';
import {
  MADE_BYTES,
  OPEN_SPAN_BYTES,
  RECORD_BYTES,
  SLOT_BYTES,
  TRACE_BYTES,
  verdictBytes,
} from './span-size.ts';
import type { MadeRuns, ReleasedTrace, ReleaseReason } from './trace-buffer.ts';

/** Where the traces of a buffer keep their spans, and how their open ones are read. */
export interface SpanPlace {
  readonly pool: SpanPool;
  /** An open span as it is now; undefined where it can no longer be read. */
  snapshot(handle: object): SpanRecord | undefined;
}

/** Stands for an entry where it is to be looked at later, and does not keep it. */
export interface Check {
  /** Undefined where the trace is gone. */
  entry: TraceEntry | undefined;
}

/** One trace in the buffer: its spans, what of them was released, and what tells whether it is finished. */
export class TraceEntry {
  readonly traceId: string;
  firstArrival: number;
  lastArrival: number;
  /** Arrival, or start, of the first span that waits for a release. */
  pendingSince: number;
  /** When the buffer will look at it next; undefined where it will not. */
  checkAt: number | undefined;
  readonly check: Check = { entry: this };
  /** Its neighbours in the order of release, which `ReleaseOrder` keeps. */
  releasedBefore: TraceEntry | undefined;
  releasedNext: TraceEntry | undefined;
  segment: number;
  /** Releases so far of this segment. */
  revision = 0;
  bytes = TRACE_BYTES;
  /** What the buffer has counted of its bytes, and of its fresh spans. */
  countedBytes = 0;
  countedFresh = 0;
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
  readonly #chain: SpanChain;
  #context: readonly SpanRecord[] = [];
  #made: MadeRuns | undefined;
  #earlierIds: SpanIdMap | undefined;
  #completeness: Completeness | undefined;
  /** Counts up when its slots change hands, so that nobody reads them any more for what they were. */
  epoch = 0;
  /** The last release, where runs may come of it, until its spans were read: before these change they have to be. */
  #unread: EntryRelease | undefined;

  constructor(traceId: string, segment: number, now: number, place: SpanPlace) {
    this.traceId = traceId;
    this.segment = segment;
    this.firstArrival = now;
    this.lastArrival = now;
    this.pendingSince = now;
    this.#place = place;
    this.#pool = place.pool;
    this.#chain = new SpanChain(place.pool);
  }

  /** What was made of it, for whoever makes it again. */
  get made(): MadeRuns {
    this.#made ??= { runs: [] };
    return this.#made;
  }

  /** Whether the buffer has forgotten it. */
  get isGone(): boolean {
    return this.check.entry === undefined;
  }

  /** Whether nothing is known of it: no span came, in earlier segments neither. */
  get isEmpty(): boolean {
    return this.revision === 0 && this.spanCount === 0 && !this.isWaiting && this.#earlierIds === undefined;
  }

  /** Whether there is anything to release, now or once it ends. */
  get isWaiting(): boolean {
    return this.isChanged || this.openCount > 0;
  }

  get completeness(): Completeness {
    this.#completeness ??= completenessOf(this.#pool, this.#chain);
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
    if (slot !== NO_SLOT || this.openCount >= maxOpen) return;
    if (this.#isEarlier(ID[0] ?? 0, ID[1] ?? 0)) return;
    this.#chain.add(ID[0] ?? 0, ID[1] ?? 0, handle);
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

  /** @returns whether the span was new; one that replaces its own open form is not. */
  add(span: SpanRecord, now: number): boolean {
    const { spanHigh, spanLow } = span;
    let slot = this.#chain.find(spanHigh, spanLow);
    const isOpen = slot !== NO_SLOT && this.#pool.has(slot, OPEN);
    const isKnown = slot === NO_SLOT ? this.#isEarlier(spanHigh, spanLow) : !isOpen;
    this.lastArrival = now;
    if (isKnown && !this.#mayReplace(slot, span)) return false;
    if (!this.isWaiting) this.pendingSince = now;
    if (slot === NO_SLOT) slot = this.#chain.add(spanHigh, spanLow, undefined);
    else this.#takeOut(slot, isOpen);
    this.#pool.fill(slot, span);
    this.#count(span.verdict, span.callId, 1);
    this.#completeness = undefined;
    this.isChanged = true;
    if (isKnown) return false;
    this.spanCount++;
    this.freshCount++;
    return true;
  }

  /** Hands out the trace as it is; open spans as far as they can be read. */
  release(reason: ReleaseReason, missingParent: 'shared' | 'absent'): ReleasedTrace {
    this.#unread?.read();
    this.revision++;
    if (this.revision === 1) this.bytes += MADE_BYTES;
    this.isChanged = false;
    const open = this.openCount === 0 ? NONE : this.#readOpen();
    // A span open for so long is never going to end; nothing is held for it any longer.
    if (reason === 'max_age') this.#removeOpen(() => true);
    // At the span limit open spans go on in the next segment, and so only enclose in this one.
    const goesOn = reason === 'span_limit';
    const released = new EntryRelease(this, this.#pool, this.#chain.newest, {
      reason,
      missingParent,
      mayHoldRuns: this.#callCount > 0 || this.#made !== undefined || (!goesOn && open.some(isCall)),
      context: goesOn ? [...this.#context, ...open] : this.#context,
      open: goesOn ? NONE : open,
    });
    this.freshCount = 0;
    if (released.mayHoldRuns) this.#unread = released;
    return released;
  }

  /** The spans of a release were read. */
  wasRead(release: EntryRelease): void {
    if (this.#unread === release) this.#unread = undefined;
  }

  /** Starts the next segment, which knows what may still enclose its spans. */
  nextSegment(now: number, maxContext: number): void {
    this.#unread?.read();
    const ended = readEnded(this.#pool, this.#chain.newest);
    this.#context = enclosingSpans([...this.#context, ...ended], maxContext);
    const earlierIds = new SpanIdMap(this.spanCount);
    this.#chain.remove((slot) => {
      if (this.#pool.has(slot, OPEN)) return false;
      earlierIds.set(this.#pool.high(slot), this.#pool.low(slot), 0);
      return true;
    });
    this.#earlierIds = earlierIds;
    this.epoch++;
    this.#made = undefined;
    this.#completeness = undefined;
    this.spanCount = 0;
    this.#callCount = 0;
    this.segment++;
    this.revision = 0;
    this.firstArrival = now;
    this.bytes = TRACE_BYTES + earlierIds.bytes + this.openCount * OPEN_SPAN_BYTES;
    for (const span of this.#context) this.bytes += RECORD_BYTES + verdictBytes(span.verdict, span.callId);
  }

  /** Gives back what it holds; it is not to be used any more, nor are releases that hold no run. */
  forget(): void {
    this.#unread?.read();
    this.check.entry = undefined;
    this.#chain.clear();
    // A release may be under way, which will not find any.
    this.spanCount = 0;
    this.epoch++;
  }

  /** The slot of the span; `ID` holds its id from then on. */
  #find(spanId: string): number {
    mustReadSpanId(spanId, ID);
    return this.#chain.find(ID[0] ?? 0, ID[1] ?? 0);
  }

  /** Whether the span is one of an earlier segment. */
  #isEarlier(high: number, low: number): boolean {
    return this.#earlierIds !== undefined && this.#earlierIds.get(high, low) !== NOWHERE;
  }

  /** Over the wire the end of a span may come after the span. */
  #mayReplace(slot: number, span: SpanRecord): boolean {
    return slot !== NO_SLOT && span.end !== undefined && !this.#pool.has(slot, ENDED);
  }

  /** Another form of a span will take the place of this one. */
  #takeOut(slot: number, isOpen: boolean): void {
    this.#unread?.read();
    if (isOpen) {
      this.openCount--;
      this.bytes -= OPEN_SPAN_BYTES;
    } else this.#count(this.#pool.verdict(slot), this.#pool.callId(slot), -1);
  }

  /** Counts a span in or, with -1, out. */
  #count(verdict: Verdict, callId: string | undefined, by: 1 | -1): void {
    if (isCallVerdict(verdict)) this.#callCount += by;
    this.bytes += by * (SLOT_BYTES + verdictBytes(verdict, callId));
  }

  #readOpen(): readonly SpanRecord[] {
    const open: SpanRecord[] = [];
    for (let slot = this.#chain.newest; slot !== NO_SLOT; slot = this.#pool.next(slot)) {
      const handle = this.#pool.has(slot, OPEN) ? this.#pool.handle(slot) : undefined;
      const span = handle && this.#place.snapshot(handle);
      if (span !== undefined) open.push(span);
    }
    return open;
  }

  #removeOpen(isUnwanted: (slot: number) => boolean): void {
    this.#chain.remove((slot) => {
      if (!this.#pool.has(slot, OPEN) || !isUnwanted(slot)) return false;
      this.openCount--;
      this.bytes -= OPEN_SPAN_BYTES;
      return true;
    });
  }
}

const NONE: readonly SpanRecord[] = [];
const ID = new Int32Array(2);

function isCallVerdict({ role }: Verdict): boolean {
  return role === 'tool' || role === 'llm';
}

function isCall({ verdict }: SpanRecord): boolean {
  return isCallVerdict(verdict);
}
