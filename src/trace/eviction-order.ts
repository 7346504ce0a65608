import type { TraceBufferOptions } from './trace-buffer.ts';
import type { TraceEntry } from './trace-entry.ts';

/** Of the traces that wait those that only wait to be amended, then complete ones, then the costliest (or quietest). */
export function evictionOrder(
  waiting: Iterable<TraceEntry>,
  evict: TraceBufferOptions['evict'],
  now: number,
): readonly TraceEntry[] {
  const rank = (entry: TraceEntry): number => (entry.revision > 0 ? 0 : hasAll(entry) ? 1 : 2);
  const cost = (entry: TraceEntry): number =>
    evict === 'idle' ? now - entry.lastArrival : entry.bytes * (now - entry.firstArrival + 1);
  return [...waiting]
    .map((entry) => ({ entry, rank: rank(entry), cost: cost(entry) }))
    .sort((a, b) => a.rank - b.rank || b.cost - a.cost)
    .map((item) => item.entry);
}

/** Whether nothing that the trace names is missing. */
export function hasAll(entry: TraceEntry): boolean {
  const { hasRoot, missing } = entry.completeness;
  return entry.openCount === 0 && hasRoot && missing === 'none';
}
