import type { ReleaseReason, TraceBufferOptions } from './trace-buffer.ts';
import type { TraceEntry } from './trace-entry.ts';

/** When a trace's time comes if nothing happens before, and what happens then. */
export interface Due {
  readonly at: number;
  readonly reason: ReleaseReason | 'forget';
}

/**
 * A trace that was released is made again so soon after a late span. One that comes again and again is made less and
 * less often, as to make it takes as long as it is, however little comes.
 */
function againMillis(revision: number, rootQuietMillis: number): number {
  return rootQuietMillis * 2 ** Math.min(Math.max(0, revision - AT_ONCE_REVISIONS), MAX_DOUBLINGS);
}

const AT_ONCE_REVISIONS = 8;
/** To some two minutes. */
const MAX_DOUBLINGS = 6;

export function dueOf(entry: TraceEntry, options: TraceBufferOptions): Due {
  const { rootQuietMillis, maxTraceAgeMillis, lateMillis, mode } = options;
  const { lastArrival, revision } = entry;
  if (!entry.isWaiting) return { at: lastArrival + lateMillis, reason: 'forget' };
  const oldest = revision === 0 ? entry.firstArrival : entry.pendingSince;
  const tooOld: Due = { at: oldest + maxTraceAgeMillis, reason: 'max_age' };
  if (entry.openCount > 0) return tooOld;
  const again: Quiet = {
    millis: againMillis(revision, rootQuietMillis),
    reason: mode === 'process' ? 'complete' : 'root_quiet',
  };
  const quiet = revision > 0 ? again : quietOf(entry, options);
  const at = lastArrival + quiet.millis;
  return at <= tooOld.at ? { at, reason: quiet.reason } : tooOld;
}

interface Quiet {
  readonly millis: number;
  readonly reason: ReleaseReason;
}

/** How long a trace over the wire must be quiet to be finished. */
function quietOf({ completeness }: TraceEntry, options: TraceBufferOptions): Quiet {
  const { hasRoot, hasRemoteRoot, missing } = completeness;
  if (hasRoot && missing === 'none') return { millis: options.rootQuietMillis, reason: 'root_quiet' };
  if (hasRoot ? missing === 'remote' : hasRemoteRoot) {
    return { millis: options.remoteRootQuietMillis, reason: 'remote_root_quiet' };
  }
  return { millis: options.idleMillis, reason: 'idle' };
}
