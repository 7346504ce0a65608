import type { TraceSpans } from './assemble-runs.ts';
import type { SpanRecord } from './span-record.ts';

/**
 * Where spans wait until their trace is finished. A port: a buffer that several processes share can take the place of
 * the one in memory. `now` comes in as an argument (milliseconds, on a scale that never goes back), and all limits are
 * in arrival time: the times inside spans come from other clocks and never decide a release.
 */
export interface TraceBuffer {
  /**
   * A span has started in this process: until it ends, its trace is not finished.
   * @param handle what the sink is asked to read where the trace leaves the buffer before the span has ended.
   * @throws RangeError where the span id is not 16 hex digits.
   */
  start(traceId: string, spanId: string, handle: object, now: number): void;
  /** Takes an ended span (over the wire: any span) of a trace. */
  add(traceId: string, span: SpanRecord, now: number): void;
  /**
   * A span that has started has ended, and cannot be read: its trace waits for it no longer.
   * @throws RangeError where the span id is not 16 hex digits.
   */
  abandon(traceId: string, spanId: string, now: number): void;
  /** Releases what is due. */
  tick(now: number): void;
  /** Releases every trace that has no open span. */
  flush(now: number): void;
  /** Releases everything, open spans included, and forgets it. */
  shutdown(now: number): void;
  readonly stats: TraceBufferStats;
}

/**
 * Takes what leaves the buffer. Called within the buffer's own methods; must not throw. Spans may start and end meanwhile,
 * as a user's rule may make some; nothing else of the buffer may be called.
 */
export interface TraceSink {
  released(trace: ReleasedTrace): void;
  /** A span that was not buffered because its trace is done. */
  late(ageMillis: number): void;
  duplicate(): void;
  /** An open span with the attributes it has now; undefined where it can no longer be read. */
  snapshot(handle: object): SpanRecord | undefined;
}

/** Why a trace left the buffer. The same words in metrics, logs and tests. */
export type ReleaseReason =
  /** In process: none of its spans is open. */
  | 'complete'
  /** A root without parent was seen, no parent is missing, and no span came for `rootQuietMillis`. */
  | 'root_quiet'
  /** Only roots with a parent in another process were seen, and no span came for `remoteRootQuietMillis`. */
  | 'remote_root_quiet'
  /** No span came for `idleMillis`. */
  | 'idle'
  | 'max_age'
  | 'span_limit'
  /** To keep the buffer within its bounds. */
  | 'evicted'
  | 'flush'
  | 'shutdown';

export interface ReleasedTrace extends TraceSpans {
  readonly reason: ReleaseReason;
  /** 1 for the first release, one more each time late spans make the trace's runs again. */
  readonly revision: number;
  readonly spanCount: number;
  /** Spans released for the first time. */
  readonly fresh: readonly SpanRecord[];
  readonly freshCount: number;
  /**
   * Whether a run may come of it, or has before: some span is a call. Where not, `spans` and `fresh` can be read only
   * while the sink is told.
   */
  readonly mayHoldRuns: boolean;
  /** What was made of the trace before, for whoever makes it again to note what that comes to. */
  readonly made: MadeRuns;
}

export interface MadeRuns {
  runs: readonly MadeRun[];
}

export interface MadeRun {
  readonly runId: string;
  readonly agentId: string;
  /** Equal where the run is the same. */
  readonly fingerprint: number;
}

export interface TraceBufferStats {
  /** Traces not released yet. */
  readonly traces: number;
  /** Traces released and kept for late spans. */
  readonly keptTraces: number;
  /** Spans that wait for their first release. */
  readonly spans: number;
  /** Estimated heap of all that is buffered and kept. */
  readonly bytes: number;
}

export interface TraceBufferOptions {
  /** `process`: starts and ends are seen, and a parent that was not seen does not exist. `wire`: ended spans only. */
  readonly mode: 'process' | 'wire';
  /**
   * Quiet time after which a trace with its root and all parents is finished, and one that was released is released again
   * with its late spans: from the ninth time on twice as long each, to 64 times. Default 2,000.
   */
  readonly rootQuietMillis: number;
  /** The same where only roots with a remote parent were seen. Default 10,000. */
  readonly remoteRootQuietMillis: number;
  /** The same for any other trace. Default 300,000. */
  readonly idleMillis: number;
  /** A trace is released at this age whatever is missing. Default 6 h. */
  readonly maxTraceAgeMillis: number;
  /** A trace with so many spans is released, and goes on as a new segment. Default 20,000. */
  readonly maxSpansPerTrace: number;
  /** Default 50,000, those kept for late spans included. */
  readonly maxBufferedTraces: number;
  /** Estimated heap of all that is buffered. Default 64 MiB. */
  readonly maxBufferedBytes: number;
  /** How long after its last span a released trace takes late ones. Default 1 h. */
  readonly lateMillis: number;
  /** Which unfinished traces leave first at a bound. `cost` (default): bytes times age. `idle`: longest without a span. */
  readonly evict: 'cost' | 'idle';
}

const DEFAULT_TRACE_BUFFER_OPTIONS: TraceBufferOptions = {
  mode: 'wire',
  rootQuietMillis: 2_000,
  remoteRootQuietMillis: 10_000,
  idleMillis: 300_000,
  maxTraceAgeMillis: 6 * 3_600_000,
  maxSpansPerTrace: 20_000,
  maxBufferedTraces: 50_000,
  maxBufferedBytes: 64 * 1_048_576,
  lateMillis: 3_600_000,
  evict: 'cost',
};

/**
 * The defaults with `given` over them.
 * @throws RangeError for a number out of range or options that contradict each other.
 */
export function resolveTraceBufferOptions(given: Partial<TraceBufferOptions> = {}): TraceBufferOptions {
  const options: Record<string, unknown> = { ...DEFAULT_TRACE_BUFFER_OPTIONS };
  for (const [name, fallback] of Object.entries(DEFAULT_TRACE_BUFFER_OPTIONS)) {
    const value = given[name as keyof TraceBufferOptions];
    if (value === undefined) continue;
    if (typeof fallback === 'number' && !(typeof value === 'number' && Number.isFinite(value) && value > 0)) {
      throw new RangeError(`${name} must be a number above 0, not ${String(value)}`);
    }
    options[name] = value;
  }
  const resolved = options as unknown as TraceBufferOptions;
  if (resolved.rootQuietMillis > resolved.idleMillis) {
    throw new RangeError(
      'rootQuietMillis must not be above idleMillis: a trace with its root never waits longer',
    );
  }
  return resolved;
}
