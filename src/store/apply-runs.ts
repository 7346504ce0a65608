import type { Cohort } from '../model/cohort.ts';
import { compareTimes, earlierTime, laterTime, type Time } from '../model/time.ts';
import { compareUtf8 } from '../model/utf8.ts';
import type { AgentState, AppliedRun, AppliedRuns, ContributingRun, Evidence } from './agent-state.ts';
import { mergePlan } from './merge-plan.ts';
import type { RunChange } from './plan-store.ts';

/**
 * The one place where runs change an agent's state. Pure, so that every store gives the same plan: a store reads the
 * state, calls this, and writes what is new, atomically.
 *
 *     changes → those not applied yet → evidence (counts, first and last time) → plan
 */
export interface AppliedChanges {
  readonly state: AgentState;
  /** The changes that took effect, one for each run, with what is to be remembered of them. */
  readonly applied: readonly (readonly [change: RunChange, run: AppliedRun])[];
  /** Those that had been applied before, or that a later revision among the changes replaces. */
  readonly duplicates: readonly RunChange[];
  /** Whether runs that contributed were taken out again. Then all counts and times may differ, else they only grew. */
  readonly retracted: boolean;
  readonly groupsAdded: number;
  readonly groupsRemoved: number;
  readonly groupsCompacted: number;
  readonly groupsEvicted: number;
}

export interface PlanLimits {
  readonly maxGroups: number;
  readonly maxPlanBytes: number;
}

export function applyRuns(
  agentId: string,
  state: AgentState,
  history: AppliedRuns,
  changes: readonly RunChange[],
  limits: PlanLimits,
): AppliedChanges {
  const newest = newestRevisions(changes);
  const fresh = new Map<string, AppliedRun>();
  const duplicates: RunChange[] = [];
  const applied: (readonly [RunChange, AppliedRun])[] = [];
  const evidence = new Map(state.evidence);
  const retracted: AppliedRun[] = [];
  let contributes = false;
  let latest = state.latest;

  for (const change of changes) {
    const before = history.get(change.runId);
    const isNewest = newest.get(change.runId) === change && !fresh.has(change.runId);
    if (!isNewest || (before !== undefined && before.revision >= change.revision)) {
      duplicates.push(change);
      continue;
    }
    if (before !== undefined && before.keys.length > 0) {
      retract(evidence, before);
      retracted.push(before);
      if (latest?.runId === change.runId) latest = undefined;
    }
    for (const cohort of change.cohorts) support(evidence, cohort, change.endedAt);
    if (change.cohorts.length > 0) {
      contributes = true;
      latest = laterRun(latest, change);
    }
    const run = {
      revision: change.revision,
      endedAt: change.endedAt,
      keys: change.cohorts.map((cohort) => cohort.key),
    };
    fresh.set(change.runId, run);
    applied.push([change, run]);
  }
  if (!contributes && retracted.length === 0) {
    return {
      state,
      applied,
      duplicates,
      retracted: false,
      groupsAdded: 0,
      groupsRemoved: 0,
      groupsCompacted: 0,
      groupsEvicted: 0,
    };
  }
  if (retracted.length > 0) {
    const recounted = recount(evidence, retracted, mergedHistory(history, fresh));
    if (recounted !== undefined) latest = laterRun(latest, recounted);
  }
  const merged = mergePlan(agentId, { ...state, evidence, latest }, limits);
  return { ...merged, applied, duplicates, retracted: retracted.length > 0 };
}

function newestRevisions(changes: readonly RunChange[]): ReadonlyMap<string, RunChange> {
  const newest = new Map<string, RunChange>();
  for (const change of changes) {
    const other = newest.get(change.runId);
    if (other === undefined || other.revision < change.revision) newest.set(change.runId, change);
  }
  return newest;
}

function support(evidence: Map<string, Evidence>, cohort: Cohort, seen: Time): void {
  const known = evidence.get(cohort.key);
  evidence.set(
    cohort.key,
    known === undefined
      ? { groupId: '', toolNames: cohort.names, runs: 1, firstSeen: seen, lastSeen: seen, added: false }
      : {
          ...known,
          runs: known.runs + 1,
          firstSeen: known.runs === 0 ? seen : earlierTime(known.firstSeen, seen),
          lastSeen: known.runs === 0 ? seen : laterTime(known.lastSeen, seen),
        },
  );
}

/** Groups that drop to no run stay in `evidence` with 0 until the plan is made: it must know what to take back. */
function retract(evidence: Map<string, Evidence>, run: AppliedRun): void {
  for (const key of run.keys) {
    const known = evidence.get(key);
    if (known !== undefined) evidence.set(key, { ...known, runs: Math.max(0, known.runs - 1) });
  }
}

/**
 * Finds again what a retraction may have made wrong: the latest contributing run, and the first and last time of the
 * groups concerned. Runs no longer remembered cannot be found, so a time changes only where every run is known.
 */
function recount(
  evidence: Map<string, Evidence>,
  retracted: readonly AppliedRun[],
  history: Iterable<readonly [string, AppliedRun]>,
): ContributingRun | undefined {
  const affected = new Map<string, { runs: number; first: Time; last: Time } | undefined>();
  for (const run of retracted) for (const key of run.keys) affected.set(key, undefined);
  let latest: ContributingRun | undefined;
  for (const [runId, { keys, endedAt }] of history) {
    if (keys.length > 0) latest = laterRun(latest, { runId, endedAt });
    for (const key of keys) {
      if (!affected.has(key)) continue;
      const seen = affected.get(key);
      affected.set(key, {
        runs: (seen?.runs ?? 0) + 1,
        first: seen === undefined ? endedAt : earlierTime(seen.first, endedAt),
        last: seen === undefined ? endedAt : laterTime(seen.last, endedAt),
      });
    }
  }
  for (const [key, seen] of affected) {
    const known = evidence.get(key);
    if (known !== undefined && seen !== undefined && seen.runs >= known.runs) {
      evidence.set(key, { ...known, firstSeen: seen.first, lastSeen: seen.last });
    }
  }
  return latest;
}

function* mergedHistory(
  history: AppliedRuns,
  fresh: ReadonlyMap<string, AppliedRun>,
): Iterable<readonly [string, AppliedRun]> {
  for (const entry of history.entries()) if (!fresh.has(entry[0])) yield entry;
  yield* fresh;
}

/** The run that ended later; at the same time the one with the greater id. So the order of arrival does not matter. */
function laterRun(a: ContributingRun | undefined, b: ContributingRun): ContributingRun {
  const { runId, endedAt } = b;
  if (a === undefined) return { runId, endedAt };
  const order = compareTimes(a.endedAt, endedAt) || compareUtf8(a.runId, runId);
  return order >= 0 ? a : { runId, endedAt };
}
