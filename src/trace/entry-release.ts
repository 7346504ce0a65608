import { NO_SLOT, OPEN } from './span-chunk.ts';
import type { SpanPool } from './span-pool.ts';
import type { SpanRecord } from './span-record.ts';
import type { MadeRuns, ReleasedTrace, ReleaseReason } from './trace-buffer.ts';
import type { TraceEntry } from './trace-entry.ts';

/** What a release says besides what its trace does. */
export interface ReleaseDetails {
  readonly reason: ReleaseReason;
  readonly missingParent: 'shared' | 'absent';
  readonly mayHoldRuns: boolean;
  readonly context: readonly SpanRecord[];
  /** Open spans that belong to it. */
  readonly open: readonly SpanRecord[];
}

/**
 * A trace as it was when it was released. Its spans are read out of the pool when somebody asks for them: of most traces,
 * which hold no run, nobody does, and those that are finished at the same time are learned one after the other.
 */
export class EntryRelease implements ReleasedTrace {
  readonly traceId: string;
  readonly segment: number;
  readonly revision: number;
  readonly reason: ReleaseReason;
  readonly missingParent: 'shared' | 'absent';
  readonly mayHoldRuns: boolean;
  readonly context: readonly SpanRecord[];
  readonly spanCount: number;
  readonly freshCount: number;
  readonly #entry: TraceEntry;
  readonly #epoch: number;
  readonly #pool: SpanPool;
  readonly #newest: number;
  readonly #open: readonly SpanRecord[];
  #ended: readonly SpanRecord[] | undefined;
  #made: MadeRuns | undefined;

  /** @param newest the trace's newest span in `pool`, to which the others are chained. */
  constructor(entry: TraceEntry, pool: SpanPool, newest: number, details: ReleaseDetails) {
    this.traceId = entry.traceId;
    this.segment = entry.segment;
    this.revision = entry.revision;
    this.spanCount = entry.spanCount + details.open.length;
    this.freshCount = entry.freshCount;
    this.reason = details.reason;
    this.missingParent = details.missingParent;
    this.mayHoldRuns = details.mayHoldRuns;
    this.context = details.context;
    this.#open = details.open;
    this.#entry = entry;
    this.#epoch = entry.epoch;
    this.#pool = pool;
    this.#newest = newest;
    if (this.mayHoldRuns) this.#made = entry.made;
  }

  get spans(): readonly SpanRecord[] {
    const ended = this.read();
    return this.#open.length === 0 ? ended : [...ended, ...this.#open];
  }

  /** Stand behind those that were released before. */
  get fresh(): readonly SpanRecord[] {
    const ended = this.read();
    return this.freshCount === ended.length ? ended : ended.slice(ended.length - this.freshCount);
  }

  get made(): MadeRuns {
    this.#made ??= this.#entry.made;
    return this.#made;
  }

  /**
   * Reads the ended spans out of the pool, once: by then the trace may have new spans, which stand before these in the
   * chain, but none of these may have changed.
   */
  read(): readonly SpanRecord[] {
    if (this.#ended === undefined) {
      if (this.#entry.epoch !== this.#epoch) {
        throw new Error('the spans of a trace that is gone cannot be read');
      }
      this.#ended = readEnded(this.#pool, this.#newest);
      this.#entry.wasRead(this);
    }
    return this.#ended;
  }
}

/** The spans of a chain but those that are open, the oldest first. */
export function readEnded(pool: SpanPool, newest: number): readonly SpanRecord[] {
  const spans: SpanRecord[] = [];
  for (let slot = newest; slot !== NO_SLOT; slot = pool.next(slot)) {
    if (!pool.has(slot, OPEN)) spans.push(pool.record(slot));
  }
  return spans.reverse();
}
