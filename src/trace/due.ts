import type { ReleaseReason, TraceBufferOptions } from './trace-buffer.ts';
import type { TraceEntry } from './trace-entry.ts';

/** When a trace's time comes if nothing happens before, and what happens then. */
export interface Due {
  readonly at: number;
  readonly reason: ReleaseReason | 'forget';
}

export function dueOf(entry: TraceEntry, options: TraceBufferOptions): Due {
  const { maxTraceAgeMillis, lateMillis } = options;
  if (!entry.isWaiting) return { at: entry.lastArrival + lateMillis, reason: 'forget' };
  const isAgain = entry.revision > 0;
  const oldest = isAgain ? entry.pendingSince : entry.firstArrival;
  const tooOld: Due = { at: oldest + maxTraceAgeMillis, reason: 'max_age' };
  if (entry.openCount > 0) return tooOld;
  const due = isAgain ? dueAgain(entry, options) : dueFirst(entry, options);
  return due.at <= tooOld.at ? due : tooOld;
}

/** When a trace over the wire has been quiet for so long that it is finished. */
function dueFirst({ completeness, lastArrival }: TraceEntry, options: TraceBufferOptions): Due {
  const { hasRoot, hasRemoteRoot, missing } = completeness;
  if (hasRoot && missing === 'none') {
    return { at: lastArrival + options.rootQuietMillis, reason: 'root_quiet' };
  }
  if (hasRoot ? missing === 'remote' : hasRemoteRoot) {
    return { at: lastArrival + options.remoteRootQuietMillis, reason: 'remote_root_quiet' };
  }
  return { at: lastArrival + options.idleMillis, reason: 'idle' };
}

/**
 * When a trace that was released is made again, with its late spans. To make it takes as long as it is, however little
 * comes; so one that comes again and again waits longer and longer with the first of them.
 */
function dueAgain({ lastArrival, pendingSince, revision }: TraceEntry, options: TraceBufferOptions): Due {
  const { rootQuietMillis, mode } = options;
  const doublings = Math.min(Math.max(0, revision - AT_ONCE_REVISIONS), MAX_DOUBLINGS);
  const at = Math.max(lastArrival + rootQuietMillis, pendingSince + rootQuietMillis * 2 ** doublings);
  return { at, reason: mode === 'process' ? 'complete' : 'root_quiet' };
}

const AT_ONCE_REVISIONS = 8;
/** To some two minutes. */
const MAX_DOUBLINGS = 6;
