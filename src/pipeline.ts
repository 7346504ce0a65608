import type { AttributeNames } from './conventions/attribute-names.ts';
import { createRecogniser, type Recogniser } from './conventions/recognise.ts';
import { Recognition } from './conventions/verdict.ts';
import type { Learner } from './learner/learner.ts';
import { ToolParallelismLearner } from './learner/tool-parallelism-learner.ts';
import { LearningLine } from './learning-line.ts';
import { plainSpan } from './model/numeric-span.ts';
import type { Span, SpanConsumer } from './model/span.ts';
import type { PipelineObserver } from './pipeline-observer.ts';
import {
  type PipelineOptions,
  type ResolvedPipelineOptions,
  resolvePipelineOptions,
} from './pipeline-options.ts';
import { type AgentWrite, runChangesOf } from './run-changes.ts';
import { type SpanAccount, SpanLedger } from './span-ledger.ts';
import type { PlanStore } from './store/plan-store.ts';
import { WriteQueue } from './store/write-queue.ts';
import { tell } from './support/tell.ts';
import { assembleRuns } from './trace/assemble-runs.ts';
import { MemoryTraceBuffer } from './trace/memory-trace-buffer.ts';
import { type SpanRecord, spanRecordOf } from './trace/span-record.ts';
import type { ReleasedTrace, TraceBuffer, TraceBufferOptions } from './trace/trace-buffer.ts';

/**
 * The way of a span, wired up:
 *
 *     consume → recognise → buffer until the trace is finished → assemble runs → learn cohorts → write into the plan
 *
 * Nothing here throws into a source or makes it wait: what follows a release happens later, on the event loop.
 */
export class Pipeline implements SpanConsumer {
  readonly #options: ResolvedPipelineOptions;
  readonly #recogniser: Recogniser;
  readonly #recognition = new Recognition();
  readonly #buffer: TraceBuffer;
  readonly #learner: Learner;
  readonly #queue: WriteQueue<AgentWrite>;
  readonly #ledger: SpanLedger;
  readonly #observer: PipelineObserver;
  readonly #line: LearningLine;
  #lastNow = 0;
  #isFlushing = false;
  readonly #stopTicking: () => void;
  #closing: Promise<void> | undefined;

  /** @throws RangeError for a number out of range or options that contradict each other. */
  constructor(
    store: PlanStore,
    options: PipelineOptions = {},
    mode: TraceBufferOptions['mode'] = 'wire',
    observer: PipelineObserver = {},
  ) {
    this.#options = resolvePipelineOptions(options, mode);
    this.#observer = observer;
    const ledger = new SpanLedger(() => this.#buffer.stats);
    this.#ledger = ledger;
    this.#recogniser = createRecogniser({
      ...options,
      agentId: typeof options.agentId === 'function' ? options.agentId : undefined,
      onError: (rule) => ledger.ruleFailed(rule),
    });
    this.#buffer = new MemoryTraceBuffer(this.#options.buffer, {
      released: (trace) => this.#finish(trace),
      late: (ageMillis) => ledger.late(ageMillis),
      duplicate: () => ledger.duplicate(),
      snapshot: (handle) => this.#snapshot(handle),
    });
    this.#learner = new ToolParallelismLearner(options);
    const { maxQueuedRuns, maxQueuedBytes, holdsWhenFull = false } = options;
    this.#queue = new WriteQueue(store, {
      ...(maxQueuedRuns !== undefined && { maxQueuedRuns }),
      ...(maxQueuedBytes !== undefined && { maxQueuedBytes }),
      observer: ledger,
    });
    this.#line = new LearningLine((trace) => this.#learn(trace), this.#queue, holdsWhenFull);
    this.#stopTicking = this.#options.ticks
      ? this.#options.clock.every(TICK_MILLIS, () => this.tick())
      : () => {};
  }

  consume(spans: readonly Span[]): void {
    this.beginTurn();
    const now = this.now();
    for (const span of spans) this.add(span, now);
  }

  /** A batch of spans follows. Of the traces that it finishes some are learned at once, while all is at hand. */
  beginTurn(): void {
    this.#line.beginBatch();
  }

  /** Takes one ended span. */
  add(span: Span, now = this.now()): void {
    if (this.#closing !== undefined) return;
    this.#ledger.received();
    try {
      const record = this.record(span);
      this.#ledger.recognised(record.verdict);
      this.#observer.recognised?.(span, record.verdict);
      this.#buffer.add(span.traceId, record, now);
    } catch (error) {
      this.#ledger.spanFailed(error);
      this.#letGo(span, now);
    }
  }

  /** The trace of a span that was dropped must not wait for it. */
  #letGo({ traceId, spanId }: Span, now: number): void {
    try {
      this.#buffer.abandon(traceId, spanId, now);
    } catch {
      // Nobody waits for what has no id.
    }
  }

  /** Spans have come that are not handed over, as nothing can be learned from them. */
  leaveOut(spans: number): void {
    if (this.#closing === undefined && spans > 0) this.#ledger.leftOut(spans);
  }

  /**
   * In process: a span has started, so its trace waits for it.
   * @throws RangeError where the span id is not 16 hex digits.
   */
  start(traceId: string, spanId: string, handle: object, now = this.now()): void {
    if (this.#closing === undefined) this.#buffer.start(traceId, spanId, handle, now);
  }

  /** In process: a span has ended, and cannot be read. It is dropped, and its trace does not wait for it. */
  abandon(traceId: string, spanId: string, error: unknown): void {
    if (this.#closing !== undefined) return;
    this.#ledger.received();
    this.#ledger.spanFailed(error);
    this.#buffer.abandon(traceId, spanId, this.now());
  }

  /** What the clock says; where it is a user's and throws, what it said last. */
  now(): number {
    try {
      this.#lastNow = this.#options.clock.now();
    } catch (error) {
      this.#ledger.tickFailed(error);
    }
    return this.#lastNow;
  }

  /** What is kept of a span. */
  record(span: Span): SpanRecord {
    // First what a user's rule says, which may make spans of its own.
    const agent = this.#recogniser.agentOf(span);
    this.#recogniser.recogniseInto(span, this.#recognition);
    return spanRecordOf(span, this.#recognition, agent);
  }

  /** Undefined also where it cannot be kept: the trace, and all others that leave with it, go on without it. */
  #snapshot(handle: object): SpanRecord | undefined {
    try {
      const span = this.#observer.readOpen?.(handle);
      // What is kept of an ended span is copied; this record stays, and must not hold the application's attributes.
      return span && this.record(plainSpan(span));
    } catch (error) {
      this.#ledger.snapshotFailed(error);
      return undefined;
    }
  }

  #finish(trace: ReleasedTrace): void {
    // Most traces of most hosts hold no call.
    if (!trace.mayHoldRuns) {
      this.#passOver(trace);
      return;
    }
    this.#ledger.released(trace);
    this.#line.push(trace, this.#isFlushing);
  }

  #passOver(trace: ReleasedTrace): void {
    try {
      this.#observer.assembled?.(trace, []);
      this.#ledger.releasedWithoutRun(trace);
    } catch (error) {
      this.#ledger.released(trace);
      this.#ledger.traceFailed(trace, error);
    }
  }

  #learn(trace: ReleasedTrace): void {
    try {
      const runs = assembleRuns(trace, this.#options.assemble);
      this.#observer.assembled?.(trace, runs);
      const lesson = runChangesOf(trace, runs, this.#learner);
      this.#ledger.assembled(lesson);
      for (const write of lesson.writes) this.#queue.enqueue(write.agentId, write.change, write);
    } catch (error) {
      this.#ledger.traceFailed(trace, error);
    }
  }

  /** Releases what is due by time. Called by a timer, where an error would end the process. */
  tick(): void {
    try {
      this.#ledger.attach();
      this.#buffer.tick(this.now());
    } catch (error) {
      this.#ledger.tickFailed(error);
    }
  }

  /** Learns and writes every trace that has no open span; resolves when that is done, at the latest after the timeout. */
  async flush(timeoutMillis: number): Promise<void> {
    if (this.#closing !== undefined) return this.#closing;
    const deadline = performance.now() + timeoutMillis;
    this.#isFlushing = true;
    this.#buffer.flush(this.now());
    this.#isFlushing = false;
    await this.#line.drain(deadline);
    await this.#queue.drain(Math.max(0, deadline - performance.now()));
  }

  /** Learns and writes everything, then takes no more. Idempotent; never rejects. */
  shutdown(timeoutMillis: number): Promise<void> {
    this.#closing ??= this.#close(timeoutMillis);
    return this.#closing;
  }

  async #close(timeoutMillis: number): Promise<void> {
    const deadline = performance.now() + timeoutMillis;
    this.#stopTicking();
    this.#isFlushing = true;
    this.#buffer.shutdown(this.now());
    await this.#line.drain(deadline);
    for (const trace of this.#line.takeRest()) this.#ledger.traceLost(trace);
    await this.#queue.close(Math.max(0, deadline - performance.now()));
    const { awaiting, dropped } = this.account;
    if (dropped.shutdown)
      tell.warn(`spanplan: ${dropped.shutdown + awaiting} spans were not learned before shutdown`);
    this.#ledger.close();
  }

  /** Where every span that was received is now. */
  get account(): SpanAccount {
    return this.#ledger.account;
  }

  /**
   * Whether what comes now may push out runs that wait to be written. A source whose senders come again should send them
   * away, and say so by `holdsWhenFull`.
   */
  get isFull(): boolean {
    return this.#line.isFull;
  }

  /** The attributes that sources must decode; others may be skipped. */
  get attributes(): AttributeNames {
    return this.#recogniser.attributes;
  }
}

const TICK_MILLIS = 500;
