/** Remembers a bounded number of traces that left, so that their last stragglers make no new trace. */
export class GoneTraces {
  static readonly #MAX = 10_000;
  readonly #traces = new Map<string, { readonly nextSegment: number; readonly lastArrival: number }>();

  add(traceId: string, nextSegment: number, lastArrival: number): void {
    this.#traces.delete(traceId);
    this.#traces.set(traceId, { nextSegment, lastArrival });
    if (this.#traces.size <= GoneTraces.#MAX) return;
    for (const oldest of this.#traces.keys()) {
      this.#traces.delete(oldest);
      return;
    }
  }

  /** The segment that a span of this trace starts: 1 for a trace never seen, 0 where it comes too late. */
  nextSegment(traceId: string): number {
    return this.#traces.get(traceId)?.nextSegment ?? 1;
  }

  lastArrival(traceId: string): number | undefined {
    return this.#traces.get(traceId)?.lastArrival;
  }
}
