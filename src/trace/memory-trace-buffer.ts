import { CheckQueue } from './check-queue.ts';
import { dueOf } from './due.ts';
import { evictionOrder, hasAll } from './eviction-order.ts';
import { GoneTraces } from './gone-traces.ts';
import { ReleaseOrder } from './release-order.ts';
import { SpanPool } from './span-pool.ts';
import type { SpanRecord } from './span-record.ts';
import type {
  ReleaseReason,
  TraceBuffer,
  TraceBufferOptions,
  TraceBufferStats,
  TraceSink,
} from './trace-buffer.ts';
import { type SpanPlace, TraceEntry } from './trace-entry.ts';
import { TraceTable } from './trace-table.ts';

/**
 * Holds traces in memory until they are finished, and a while longer for late spans.
 *
 *     start, add → entry of the trace → due? (tick, bounds) → sink.released, for a named reason
 *                                     ↘ kept for late spans → released again, or forgotten
 */
export class MemoryTraceBuffer implements TraceBuffer {
  readonly #options: TraceBufferOptions;
  readonly #inProcess: boolean;
  readonly #sink: TraceSink;
  /** A trace is never due earlier than this after a span. What it lacks is only found out then, not for each span. */
  readonly #soonest: number;
  readonly #place: SpanPlace;
  readonly #entries = new TraceTable<TraceEntry>();
  /** Of those, the ones that have something to release, now or once it ends. */
  readonly #waiting = new Set<TraceEntry>();
  /** And the ones that can go first: those that were released, and those of which nothing is there but their past. */
  readonly #released = new ReleaseOrder();
  /** How many were released, in their present segment. */
  #kept = 0;
  readonly #gone = new GoneTraces();
  readonly #checks = new CheckQueue();
  /** Whose span came last: the next one is likely of the same trace. */
  #last: TraceEntry | undefined;
  #fresh = 0;
  #bytes = 0;
  /** Whoever is told of a trace may make spans, a user's rule say; what has no room then goes when that is done. */
  #isReleasing = false;

  constructor(options: TraceBufferOptions, sink: TraceSink) {
    this.#options = options;
    this.#inProcess = options.mode === 'process';
    const { rootQuietMillis, remoteRootQuietMillis, maxTraceAgeMillis } = options;
    this.#soonest = Math.min(rootQuietMillis, remoteRootQuietMillis, maxTraceAgeMillis);
    this.#sink = sink;
    this.#place = { pool: new SpanPool(), snapshot: (handle) => sink.snapshot(handle) };
  }

  get stats(): TraceBufferStats {
    return {
      traces: this.#entries.size - this.#kept,
      keptTraces: this.#kept,
      spans: this.#fresh,
      bytes: this.#bytes,
    };
  }

  start(traceId: string, spanId: string, handle: object, now: number): void {
    const entry = this.#entryOf(traceId, now);
    if (entry === undefined) return;
    const wasWaiting = entry.isWaiting;
    try {
      entry.start(spanId, handle, now, this.#options.maxSpansPerTrace);
    } catch (error) {
      if (entry.isEmpty) this.#forget(entry, entry.segment);
      throw error;
    }
    if (!wasWaiting && entry.isWaiting) this.#waiting.add(entry);
    this.#count(entry);
    this.#checkBy(entry, entry.pendingSince + this.#options.maxTraceAgeMillis);
    this.#keepBounds(now);
  }

  add(traceId: string, span: SpanRecord, now: number): void {
    const entry = this.#entryOf(traceId, now);
    if (entry === undefined) {
      this.#sink.late(now - (this.#gone.lastArrival(traceId) ?? now));
      return;
    }
    const wasWaiting = entry.isWaiting;
    const isNew = entry.add(span, now);
    if (!wasWaiting && entry.isWaiting) this.#waiting.add(entry);
    this.#count(entry);
    if (!isNew) this.#sink.duplicate();
    if (entry.spanCount >= this.#options.maxSpansPerTrace && !this.#isReleasing) this.#endSegment(entry, now);
    else if (this.#isComplete(entry)) this.#release(entry, 'complete', now);
    else if (entry.isChanged && entry.openCount === 0) this.#checkBy(entry, now + this.#soonest);
    this.#keepBounds(now);
  }

  abandon(traceId: string, spanId: string, now: number): void {
    const entry = this.#entries.get(traceId);
    if (entry === undefined) return;
    entry.abandon(spanId, now);
    if (!entry.isWaiting) this.#waiting.delete(entry);
    this.#count(entry);
    if (entry.isEmpty) {
      this.#forget(entry, entry.segment);
      return;
    }
    // What was known before of a trace that waits for nothing can be evicted.
    if (!entry.isWaiting && entry.revision === 0) this.#released.add(entry);
    if (this.#isComplete(entry)) this.#release(entry, 'complete', now);
    else this.#checkBy(entry, now + this.#soonest);
  }

  tick(now: number): void {
    for (let entry = this.#checks.take(now); entry; entry = this.#checks.take(now)) {
      const due = dueOf(entry, this.#options);
      if (due.at > now) this.#checkBy(entry, due.at);
      else if (due.reason === 'forget') this.#forget(entry, 0);
      else this.#release(entry, due.reason, now);
    }
    this.#keepBounds(now);
  }

  flush(now: number): void {
    for (const entry of this.#waiting) {
      if (entry.openCount === 0) this.#release(entry, 'flush', now);
    }
    this.#keepBounds(now);
  }

  shutdown(now: number): void {
    for (const entry of this.#waiting) this.#release(entry, 'shutdown', now);
    // A user's rule may have made spans meanwhile, of traces that were released by then.
    const rest = [...this.#entries.values()].filter(({ freshCount }) => freshCount > 0);
    for (const entry of rest) this.#release(entry, 'shutdown', now);
    for (const entry of this.#entries.values()) entry.forget();
    this.#entries.clear();
    this.#released.clear();
    this.#kept = 0;
    this.#waiting.clear();
    this.#checks.clear();
    this.#last = undefined;
    this.#bytes = 0;
  }

  /** The trace's entry, new where needed; undefined where the trace is done and takes no more. */
  #entryOf(traceId: string, now: number): TraceEntry | undefined {
    if (this.#last?.traceId === traceId) return this.#last;
    const known = this.#entries.get(traceId);
    if (known !== undefined) {
      this.#last = known;
      return known;
    }
    const segment = this.#gone.nextSegment(traceId);
    if (segment === 0) return undefined;
    const entry = new TraceEntry(traceId, segment, now, this.#place);
    this.#entries.set(entry);
    this.#last = entry;
    this.#count(entry);
    this.#checkBy(entry, now + Math.min(this.#options.idleMillis, this.#options.maxTraceAgeMillis));
    return entry;
  }

  /** In process only: nothing is open any more. What comes after the first release waits for quiet. */
  #isComplete(entry: TraceEntry): boolean {
    return this.#inProcess && entry.openCount === 0 && entry.revision === 0 && entry.spanCount > 0;
  }

  /** Counts what has changed of an entry; once, also where that was within another change. */
  #count(entry: TraceEntry): void {
    this.#bytes += entry.bytes - entry.countedBytes;
    this.#fresh += entry.freshCount - entry.countedFresh;
    entry.countedBytes = entry.bytes;
    entry.countedFresh = entry.freshCount;
  }

  /** Whoever is told of a trace may end spans of others, and even shut all of this down, so any may be gone by now. */
  #release(entry: TraceEntry, reason: ReleaseReason, now: number): void {
    if (entry.isGone) return;
    if (entry.revision === 0) this.#kept++;
    this.#released.add(entry);
    const wasReleasing = this.#isReleasing;
    this.#isReleasing = true;
    try {
      this.#sink.released(entry.release(reason, this.#inProcess ? 'absent' : 'shared'));
    } finally {
      this.#isReleasing = wasReleasing;
    }
    if (entry.isGone) return;
    this.#count(entry);
    if (!entry.isWaiting) this.#waiting.delete(entry);
    this.#checkBy(entry, Math.max(now, dueOf(entry, this.#options).at));
  }

  /** The trace outgrew its limit: what was made of it is final, and it goes on as a new segment. */
  #endSegment(entry: TraceEntry, now: number): void {
    this.#release(entry, 'span_limit', now);
    if (entry.isGone) return;
    this.#kept--;
    entry.nextSegment(now, this.#options.maxSpansPerTrace >> 1);
    this.#count(entry);
    // One that waits for nothing stays there: it is in no other list from which it could be evicted.
    if (entry.isWaiting) this.#released.remove(entry);
  }

  /** @param nextSegment of which segment later spans are; 0 where they come too late. */
  #forget(entry: TraceEntry, nextSegment: number): void {
    if (entry.isGone) return;
    this.#entries.delete(entry.traceId);
    this.#released.remove(entry);
    if (entry.revision > 0) this.#kept--;
    this.#waiting.delete(entry);
    if (this.#last === entry) this.#last = undefined;
    this.#bytes -= entry.countedBytes;
    this.#fresh -= entry.countedFresh;
    this.#gone.add(entry.traceId, nextSegment, entry.lastArrival);
    entry.forget();
  }

  #checkBy(entry: TraceEntry, at: number): void {
    this.#checks.add(entry, at, this.#entries.size);
  }

  /** Over a bound a twentieth goes at once, so that choosing what goes is not paid for each span. */
  #keepBounds(now: number): void {
    if (this.#isReleasing) return;
    const { maxBufferedTraces, maxBufferedBytes } = this.#options;
    if (this.#entries.size > maxBufferedTraces || this.#bytes > maxBufferedBytes) this.#evict(now);
  }

  #evict(now: number): void {
    const { maxBufferedTraces, maxBufferedBytes } = this.#options;
    const traces = maxBufferedTraces - Math.floor(maxBufferedTraces / 20);
    const bytes = maxBufferedBytes - Math.floor(maxBufferedBytes / 20);
    const isWithin = () => this.#entries.size <= traces && this.#bytes <= bytes;
    for (let entry = this.#released.first, next = entry; entry !== undefined; entry = next) {
      if (isWithin()) return;
      next = entry.releasedNext;
      if (!entry.isWaiting) this.#forget(entry, entry.revision > 0 ? 0 : entry.segment);
    }
    if (isWithin()) return;
    for (const entry of evictionOrder(this.#waiting, this.#options.evict, now)) {
      if (isWithin()) return;
      // What comes of a trace that has all it needs is a straggler, or a span that came before.
      const isDone = entry.revision > 0 || hasAll(entry);
      this.#release(entry, 'evicted', now);
      this.#forget(entry, isDone ? 0 : entry.segment + 1);
    }
  }
}
