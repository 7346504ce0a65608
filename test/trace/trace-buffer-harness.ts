import { expect } from 'vitest';
import type { SpanRecord } from '../../src/trace/span-record.ts';
import {
  type ReleasedTrace,
  resolveTraceBufferOptions,
  type TraceBuffer,
  type TraceBufferOptions,
  type TraceBufferStats,
  type TraceSink,
} from '../../src/trace/trace-buffer.ts';
import { idOf, recordOf, type SpanSpec, traceIdOf } from '../support/spans.ts';

export type MakeTraceBuffer = (options: TraceBufferOptions, sink: TraceSink) => TraceBuffer;

interface OpenSpan {
  readonly snapshot: () => SpanRecord | undefined;
}

/** A buffer under test, with all that came out of it. Its clock starts at 0. */
export class TraceBufferHarness {
  readonly #buffer: TraceBuffer;
  readonly released: ReleasedTrace[] = [];
  readonly lateAges: number[] = [];
  duplicates = 0;
  received = 0;
  now = 0;

  /** @param readsLater whether spans of a release are read only when the test does so, where that may be. */
  constructor(make: MakeTraceBuffer, options: Partial<TraceBufferOptions> = {}, readsLater = false) {
    this.#buffer = make(resolveTraceBufferOptions(options), {
      released: (trace) => {
        // Spans of a trace without a call can be read only now.
        if (!readsLater || !trace.mayHoldRuns) readAll(trace);
        this.released.push(trace);
      },
      late: (ageMillis) => this.lateAges.push(ageMillis),
      duplicate: () => this.duplicates++,
      snapshot: (handle) => (handle as OpenSpan).snapshot(),
    });
  }

  add(spec: SpanSpec): void {
    this.received++;
    this.#buffer.add(traceIdOf(spec.trace ?? 't'), recordOf(spec), this.now);
  }

  /** In process: the span starts now; `snapshot` is what can be read of it while it is open. */
  start(spec: SpanSpec, snapshot: () => SpanRecord | undefined = () => recordOf({ ...spec, to: undefined })) {
    this.#buffer.start(
      traceIdOf(spec.trace ?? 't'),
      idOf(spec.id),
      { snapshot } satisfies OpenSpan,
      this.now,
    );
  }

  /** In process: the span has ended, and cannot be read. */
  abandon(spec: SpanSpec): void {
    this.#buffer.abandon(traceIdOf(spec.trace ?? 't'), idOf(spec.id), this.now);
  }

  /** Moves the clock to `now` and ticks. */
  tick(now: number): void {
    this.now = now;
    this.#buffer.tick(now);
  }

  flush(): void {
    this.#buffer.flush(this.now);
  }

  shutdown(): void {
    this.#buffer.shutdown(this.now);
  }

  get stats(): TraceBufferStats {
    return this.#buffer.stats;
  }

  get reasons(): readonly string[] {
    return this.released.map(({ reason }) => reason);
  }

  get last(): ReleasedTrace {
    const trace = this.released.at(-1);
    if (trace === undefined) throw new Error('nothing was released');
    return trace;
  }

  /** Spans by where they went; they add up to `received` at every moment. */
  get accounted(): number {
    const released = this.released.reduce((sum, { freshCount }) => sum + freshCount, 0);
    return this.#buffer.stats.spans + released + this.duplicates + this.lateAges.length;
  }
}

/** What a release says of its spans. */
export function readAll({ spans, fresh, spanCount, freshCount }: ReleasedTrace) {
  expect([spans.length, fresh.length]).toEqual([spanCount, freshCount]);
  return { spans, fresh };
}

export function idsOf(spans: readonly SpanRecord[]): readonly string[] {
  return spans.map(({ spanId }) => Buffer.from(spanId, 'hex').toString().replaceAll('\0', '')).sort();
}
