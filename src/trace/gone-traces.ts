import { TraceTable } from './trace-table.ts';

interface GoneTrace {
  readonly traceId: string;
  readonly nextSegment: number;
  readonly lastArrival: number;
}

/**
 * Remembers a bounded number of traces that left, so that their last stragglers make no new trace: the last 10,000
 * and up to as many before. In two parts, the older of which is dropped as a whole.
 */
export class GoneTraces {
  static readonly #PART = 10_000;
  #newer = new TraceTable<GoneTrace>();
  #older = new TraceTable<GoneTrace>();

  add(traceId: string, nextSegment: number, lastArrival: number): void {
    if (this.#newer.size === GoneTraces.#PART) {
      this.#older = this.#newer;
      this.#newer = new TraceTable();
    }
    this.#newer.set({ traceId, nextSegment, lastArrival });
  }

  /** The segment that a span of this trace starts: 1 for a trace never seen, 0 where it comes too late. */
  nextSegment(traceId: string): number {
    return this.#find(traceId)?.nextSegment ?? 1;
  }

  lastArrival(traceId: string): number | undefined {
    return this.#find(traceId)?.lastArrival;
  }

  #find(traceId: string): GoneTrace | undefined {
    return this.#newer.get(traceId) ?? this.#older.get(traceId);
  }
}
