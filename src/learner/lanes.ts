import type { CallRecord, RunRecord } from '../model/run-record.ts';
import { compareTimes, type Time } from '../model/time.ts';

/** Calls that may overlap one another, in order of start, with the overlap that counts. */
export interface Lane {
  /** Those that are no ended tool calls are to be passed over. */
  readonly calls: readonly CallRecord[];
  readonly minOverlapNanos: number;
}

export type EndedCall = CallRecord & { readonly endedAt: Time };

export function isEndedCall(call: CallRecord): call is EndedCall {
  return call.kind === 'tool' && call.endedAt !== undefined;
}

/**
 * Splits a run into scopes. Where its calls come from several processes, whose clocks differ, each scope is walked
 * once for each process with the usual margin and once as a whole with the wider one: so every pair in a cohort
 * overlaps by what its clocks demand.
 */
export function lanesOf(run: RunRecord): readonly Lane[] {
  const minOverlapNanos = (run.minOverlapMillis ?? 0) * 1e6;
  const calls = inOrderOfStart(run.calls);
  if (calls.every(isOfNoScope)) return [{ calls, minOverlapNanos }];
  const crossOverlapNanos = Math.max(minOverlapNanos, (run.crossResourceOverlapMillis ?? 0) * 1e6);
  const lanes: Lane[] = [];
  for (const scope of groupBy(calls.filter(isEndedCall), (call) => call.scope ?? '')) {
    const processes = groupBy(scope, (call) => call.resource ?? '');
    for (const process of processes) lanes.push({ calls: process, minOverlapNanos });
    if (processes.length > 1) lanes.push({ calls: scope, minOverlapNanos: crossOverlapNanos });
  }
  return lanes;
}

function isOfNoScope({ scope, resource }: CallRecord): boolean {
  return scope === undefined && resource === undefined;
}

/** Runs that were assembled here are so already. */
function inOrderOfStart(calls: readonly CallRecord[]): readonly CallRecord[] {
  for (let i = 1; i < calls.length; i++) {
    const [before, call] = [calls[i - 1], calls[i]];
    if (before !== undefined && call !== undefined && compareTimes(before.startedAt, call.startedAt) > 0) {
      return [...calls].sort((a, b) => compareTimes(a.startedAt, b.startedAt));
    }
  }
  return calls;
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): readonly (readonly T[])[] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return [...groups.values()];
}
