import type { SpanRecord } from './span-record.ts';
import { heapBytesOf, ID_BYTES, MADE_BYTES, OPEN_SPAN_BYTES, TRACE_BYTES } from './span-size.ts';
import type { MadeRun, OpenSpan, ReleasedTrace, ReleaseReason } from './trace-buffer.ts';

/** What a trace over the wire has and lacks. */
export interface Completeness {
  /** A root without a parent was seen. */
  readonly hasRoot: boolean;
  /** A root with a parent in another process was seen. */
  readonly hasRemoteRoot: boolean;
  /** A parent that was not seen: none, only ones in other processes, or one of the same process. */
  readonly missing: 'none' | 'remote' | 'local';
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
  readonly open = new Map<string, OpenSpan>();
  #spans = new Map<string, SpanRecord>();
  #fresh: SpanRecord[] = [];
  #context: readonly SpanRecord[] = [];
  #made = new Map<string, MadeRun>();
  #earlierIds: ReadonlySet<string> = new Set();
  #completeness: Completeness | undefined;

  constructor(traceId: string, segment: number, now: number) {
    this.traceId = traceId;
    this.segment = segment;
    this.firstArrival = now;
    this.lastArrival = now;
    this.pendingSince = now;
  }

  get spanCount(): number {
    return this.#spans.size;
  }

  /** Spans that wait for their first release. */
  get freshCount(): number {
    return this.#fresh.length;
  }

  /** Notes a span that has started. Past `maxOpen` none is: whoever leaks so many spans gets no more of our memory. */
  start(span: OpenSpan, now: number, maxOpen: number): void {
    if (!this.isWaiting) this.pendingSince = now;
    this.lastArrival = now;
    if (this.open.size >= maxOpen || this.open.has(span.spanId) || this.#knows(span.spanId)) return;
    this.open.set(span.spanId, span);
    this.bytes += OPEN_SPAN_BYTES;
  }

  /** Lets go of a span that has started. */
  abandon(spanId: string, now: number): void {
    this.lastArrival = now;
    if (this.open.delete(spanId)) this.bytes -= OPEN_SPAN_BYTES;
  }

  /** @returns whether the span was new; one that replaces its own open form is not. */
  add(span: SpanRecord, now: number): boolean {
    const wasWaiting = this.isWaiting;
    if (this.open.delete(span.spanId)) this.bytes -= OPEN_SPAN_BYTES;
    this.lastArrival = now;
    const known = this.#spans.get(span.spanId);
    if (known === undefined && this.#knows(span.spanId)) return false;
    if (known !== undefined && (known.end !== undefined || span.end === undefined)) return false;
    if (!wasWaiting) this.pendingSince = now;
    this.#spans.set(span.spanId, span);
    this.#completeness = undefined;
    this.isChanged = true;
    this.bytes += heapBytesOf(span);
    if (known !== undefined) {
      this.bytes -= heapBytesOf(known);
      this.#fresh = this.#fresh.map((waiting) => (waiting === known ? span : waiting));
      return false;
    }
    this.#fresh.push(span);
    return true;
  }

  #knows(spanId: string): boolean {
    return this.#spans.has(spanId) || this.#earlierIds.has(spanId);
  }

  /** Whether it has an ended span that the last release did not. */
  isChanged = false;

  /** Whether there is anything to release, now or once it ends. */
  get isWaiting(): boolean {
    return this.isChanged || this.open.size > 0;
  }

  get completeness(): Completeness {
    this.#completeness ??= completenessOf(this.#spans);
    return this.#completeness;
  }

  /** Hands out the trace as it is; open spans as far as they can be read. */
  release(reason: ReleaseReason, missingParent: 'shared' | 'absent'): ReleasedTrace {
    this.revision++;
    if (this.revision === 1) this.bytes += MADE_BYTES;
    this.isChanged = false;
    const fresh = this.#fresh;
    this.#fresh = [];
    const open = [...this.open.values()].flatMap((span) => span.snapshot() ?? []);
    if (reason === 'max_age') {
      // A span open for so long is never going to end; nothing is held for it any longer.
      this.bytes -= this.open.size * OPEN_SPAN_BYTES;
      this.open.clear();
    }
    // At the span limit open spans go on in the next segment, and so only enclose in this one.
    const goesOn = reason === 'span_limit';
    return {
      traceId: this.traceId,
      segment: this.segment,
      revision: this.revision,
      reason,
      fresh,
      spans: goesOn ? [...this.#spans.values()] : [...this.#spans.values(), ...open],
      context: goesOn ? [...this.#context, ...open] : this.#context,
      missingParent,
      made: this.#made,
    };
  }

  /** Starts the next segment, which knows what may still enclose its spans. */
  nextSegment(now: number, maxContext: number): void {
    this.#context = enclosingSpans([...this.#context, ...this.#spans.values()], maxContext);
    this.#earlierIds = new Set(this.#spans.keys());
    this.#spans = new Map();
    this.#made = new Map();
    this.#completeness = undefined;
    this.segment++;
    this.revision = 0;
    this.firstArrival = now;
    this.bytes = TRACE_BYTES + this.#earlierIds.size * ID_BYTES + this.open.size * OPEN_SPAN_BYTES;
    for (const span of this.#context) this.bytes += heapBytesOf(span);
  }
}

/** Agents, workflows, tool calls and whatever else has children; of too many the outermost kinds, then the newest. */
function enclosingSpans(spans: readonly SpanRecord[], max: number): readonly SpanRecord[] {
  const parents = new Set(spans.map((span) => span.parentSpanId));
  const rank = ({ verdict, spanId }: SpanRecord): number => {
    if (verdict.role === 'agent' || verdict.role === 'workflow') return 0;
    if (parents.has(spanId)) return 1;
    return verdict.role === 'tool' ? 2 : 3;
  };
  return spans
    .map((span, index) => ({ span, index, rank: rank(span) }))
    .filter((item) => item.rank < 3)
    .sort((a, b) => a.rank - b.rank || b.index - a.index)
    .slice(0, max)
    .map((item) => item.span);
}

function completenessOf(spans: ReadonlyMap<string, SpanRecord>): Completeness {
  let hasRoot = false;
  let hasRemoteRoot = false;
  let missing: Completeness['missing'] = 'none';
  for (const { parentSpanId, parentIsRemote } of spans.values()) {
    if (parentSpanId === undefined) hasRoot = true;
    else if (parentIsRemote) hasRemoteRoot = true;
    if (parentSpanId === undefined || spans.has(parentSpanId)) continue;
    if (!parentIsRemote) missing = 'local';
    else if (missing === 'none') missing = 'remote';
  }
  return { hasRoot, hasRemoteRoot, missing };
}
