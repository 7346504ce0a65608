import type { ReleaseReason, TraceBufferOptions } from './trace-buffer.ts';
import type { TraceEntry } from './trace-entry.ts';

/** When a trace's time comes if nothing happens before, and what happens then. */
export interface Due {
  readonly at: number;
  readonly reason: ReleaseReason | 'forget';
}

export function dueOf(entry: TraceEntry, options: TraceBufferOptions): Due {
  const { rootQuietMillis, maxTraceAgeMillis, lateMillis, mode } = options;
  const { lastArrival, revision } = entry;
  if (!entry.isWaiting) return { at: lastArrival + lateMillis, reason: 'forget' };
  const oldest = revision === 0 ? entry.firstArrival : entry.pendingSince;
  const tooOld: Due = { at: oldest + maxTraceAgeMillis, reason: 'max_age' };
  if (entry.openCount > 0) return tooOld;
  const again: Quiet = { millis: rootQuietMillis, reason: mode === 'process' ? 'complete' : 'root_quiet' };
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
