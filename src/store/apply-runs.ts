import type { Cohort } from '../model/cohort.ts';
import { compareTimes, earlierTime, laterTime, type Time } from '../model/time.ts';
import { compareUtf8 } from '../model/utf8.ts';
import type { AgentState, AppliedRun, AppliedRuns, ContributingRun, Evidence } from './agent-state.ts';
import { EvidenceDraft } from './evidence-draft.ts';
import { mergePlan, planNaming } from './merge-plan.ts';
import type { RunChange } from './plan-store.ts';

/**
 * The one place where runs change an agent's state. Pure, so that every store gives the same plan: a store reads the
 * state, calls this, and writes what is new, atomically.
 *
 *     changes → those not applied yet → evidence (counts, first and last time) → plan, where groups come or go
 */
export interface AppliedChanges {
  readonly state: AgentState;
  /** The changes that took effect, one for each run, with what is to be remembered of them. */
  readonly applied: readonly (readonly [change: RunChange, run: AppliedRun])[];
  /** Those that had been applied before, or that a later revision among the changes replaces. */
  readonly duplicates: readonly RunChange[];
  /** What those that took effect contribute, by cohort key. */
  readonly sightings: ReadonlyMap<string, Sighting>;
  /** The one among them that contributes and ended last. */
  readonly latest: ContributingRun | undefined;
  /** The evidence that is not as it was in the state before; undefined where it went. */
  readonly evidence: ReadonlyMap<string, Evidence | undefined>;
  /** Whether runs that contributed were taken out again. Then all counts and times may differ, else they only grew. */
  readonly retracted: boolean;
  /** Whether all that was known of the groups is as it was, but for counts and times. */
  readonly isCountOnly: boolean;
  readonly groupsAdded: number;
  readonly groupsRemoved: number;
  readonly groupsCompacted: number;
  readonly groupsEvicted: number;
}

/** In how many runs a cohort was seen, and when. */
interface Sighting {
  readonly cohort: Cohort;
  readonly runs: number;
  readonly first: Time;
  readonly last: Time;
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
  const { applied, duplicates, replaced, latest: latestApplied } = sortOut(history, changes);
  const sightings = sightingsOf(applied);
  const retracted = replaced.length > 0;
  const common = { ...NO_GROUPS, applied, duplicates, sightings, latest: latestApplied, retracted };
  if (latestApplied === undefined && !retracted) {
    return { ...common, state, evidence: new Map(), isCountOnly: true };
  }

  const evidence = new EvidenceDraft(state.evidence);
  let { latest } = state;
  for (const [runId, run] of replaced) {
    retract(evidence, run);
    if (latest?.runId === runId) latest = undefined;
  }
  for (const sighting of sightings.values()) support(evidence, sighting);
  if (latestApplied !== undefined) latest = laterRun(latest, latestApplied);
  if (retracted) {
    const recounted = recount(
      evidence,
      replaced.map(([, run]) => run),
      mergedHistory(history, applied),
    );
    if (recounted !== undefined) latest = laterRun(latest, recounted);
  }
  if (!retracted && state.isMerged && !evidence.hasNew) {
    // Only counts differ: the plan is not walked, whatever its size.
    const plan = state.plan && planNaming(state.plan, latest);
    const known = { ...state, plan, latest, evidence: evidence.version() };
    return { ...common, state: known, evidence: evidence.changed, isCountOnly: true };
  }
  const merged = mergePlan(agentId, { ...state, evidence: evidence.all(), latest }, limits);
  const changed = differences(state.evidence, merged.state.evidence);
  return { ...common, ...merged, evidence: changed, isCountOnly: false };
}

const NO_GROUPS = { groupsAdded: 0, groupsRemoved: 0, groupsCompacted: 0, groupsEvicted: 0 };

/** Tells which changes take effect, and which applied runs they replace that had contributed. */
function sortOut(history: AppliedRuns, changes: readonly RunChange[]) {
  const newest = newestRevisions(changes);
  const applied: (readonly [RunChange, AppliedRun])[] = [];
  const duplicates: RunChange[] = [];
  const replaced: (readonly [runId: string, run: AppliedRun])[] = [];
  let latest: ContributingRun | undefined;
  for (const change of changes) {
    const { runId, revision, endedAt, cohorts } = change;
    const before = history.get(runId);
    const isNewest = newest.get(runId) === change;
    if (!isNewest || (before !== undefined && before.revision >= revision)) {
      duplicates.push(change);
      continue;
    }
    // The same change may have been given twice.
    newest.delete(runId);
    if (before !== undefined && before.keys.length > 0) replaced.push([runId, before]);
    if (cohorts.length > 0) latest = laterRun(latest, change);
    applied.push([change, { revision, endedAt, keys: keysOf(cohorts) }]);
  }
  return { applied, duplicates, replaced, latest };
}

function newestRevisions(changes: readonly RunChange[]): Map<string, RunChange> {
  const newest = new Map<string, RunChange>();
  for (const change of changes) {
    const other = newest.get(change.runId);
    if (other === undefined || other.revision < change.revision) newest.set(change.runId, change);
  }
  return newest;
}

/** A learner gives runs of one kind the same list of cohorts; then their keys are one list too. */
function keysOf(cohorts: readonly Cohort[]): readonly string[] {
  const known = keyLists.get(cohorts);
  if (known !== undefined) return known;
  const keys = cohorts.map(({ key }) => key);
  keyLists.set(cohorts, keys);
  return keys;
}

const keyLists = new WeakMap<readonly Cohort[], readonly string[]>();

/** Counts runs with the same list of cohorts first, and then what is in the lists. */
function sightingsOf(applied: AppliedChanges['applied']): ReadonlyMap<string, Sighting> {
  const lists = new Map<readonly Cohort[], Omit<Sighting, 'cohort'>>();
  for (const [{ cohorts, endedAt }] of applied) {
    if (cohorts.length > 0) lists.set(cohorts, together(lists.get(cohorts), endedAt, endedAt, 1));
  }
  const sightings = new Map<string, Sighting>();
  for (const [cohorts, { runs, first, last }] of lists) {
    for (const cohort of cohorts) {
      sightings.set(cohort.key, { cohort, ...together(sightings.get(cohort.key), first, last, runs) });
    }
  }
  return sightings;
}

function together(
  seen: Omit<Sighting, 'cohort'> | undefined,
  first: Time,
  last: Time,
  runs: number,
): Omit<Sighting, 'cohort'> {
  if (seen === undefined) return { runs, first, last };
  return { runs: seen.runs + runs, first: earlierTime(seen.first, first), last: laterTime(seen.last, last) };
}

function support(evidence: EvidenceDraft, { cohort, runs, first, last }: Sighting): void {
  const known = evidence.get(cohort.key);
  evidence.set(
    cohort.key,
    known === undefined
      ? { groupId: '', toolNames: cohort.names, runs, firstSeen: first, lastSeen: last, added: false }
      : {
          ...known,
          runs: known.runs + runs,
          firstSeen: known.runs === 0 ? first : earlierTime(known.firstSeen, first),
          lastSeen: known.runs === 0 ? last : laterTime(known.lastSeen, last),
        },
  );
}

/** Groups that drop to no run stay in `evidence` with 0 until the plan is made: it must know what to take back. */
function retract(evidence: EvidenceDraft, run: AppliedRun): void {
  for (const key of run.keys) {
    const known = evidence.get(key);
    if (known !== undefined) evidence.set(key, { ...known, runs: Math.max(0, known.runs - 1) });
  }
}

/**
 * Finds again what a retraction may have made wrong: the latest contributing run, and the first and last time of the
 * groups concerned. Runs no longer remembered cannot be found, so a time changes only where every run is known. More
 * runs are known than were counted where a group had to go and came back: then one of those before is taken back, which
 * was counted no more.
 */
function recount(
  evidence: EvidenceDraft,
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
      evidence.set(key, { ...known, runs: seen.runs, firstSeen: seen.first, lastSeen: seen.last });
    }
  }
  return latest;
}

function* mergedHistory(
  history: AppliedRuns,
  applied: AppliedChanges['applied'],
): Iterable<readonly [string, AppliedRun]> {
  const fresh = new Map(applied.map(([{ runId }, run]) => [runId, run]));
  for (const entry of history.entries()) if (!fresh.has(entry[0])) yield entry;
  yield* fresh;
}

function differences(
  before: ReadonlyMap<string, Evidence>,
  after: ReadonlyMap<string, Evidence>,
): ReadonlyMap<string, Evidence | undefined> {
  const changed = new Map<string, Evidence | undefined>();
  for (const [key, evidence] of after) if (evidence !== before.get(key)) changed.set(key, evidence);
  for (const key of before.keys()) if (!after.has(key)) changed.set(key, undefined);
  return changed;
}

/** The run that ended later; at the same time the one with the greater id. So the order of arrival does not matter. */
function laterRun(a: ContributingRun | undefined, b: ContributingRun): ContributingRun {
  const { runId, endedAt } = b;
  if (a === undefined) return { runId, endedAt };
  const order = compareTimes(a.endedAt, endedAt) || compareUtf8(a.runId, runId);
  return order >= 0 ? a : { runId, endedAt };
}
