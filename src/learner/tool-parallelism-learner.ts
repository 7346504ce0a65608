import { type Cohort, cohortOf, isContained } from '../model/cohort.ts';
import type { CallRecord, RunRecord } from '../model/run-record.ts';
import { compareTimes, nanosBetween, type Time } from '../model/time.ts';
import type { Learner, Lesson } from './learner.ts';

export interface ToolParallelismLearnerOptions {
  /**
   * `every` (default): a cohort for each call that starts while others run, as nemo-flow-adaptive does. `maximal`:
   * only those that no other cohort of the run contains.
   */
  readonly cohorts?: 'every' | 'maximal';
  /** Most cohorts that one run may contribute. A run that yields more contributes its maximal ones. Default 512. */
  readonly maxGroups?: number;
}

/**
 * Finds the sets of tool calls that were running at one instant.
 *
 *     calls of a run → those of one scope (and clock) → in order of start, with a list of the active ones → cohorts
 *
 * O(n log n) in the number of calls, plus what it must put out.
 */
export class ToolParallelismLearner implements Learner {
  readonly #mode: 'every' | 'maximal';
  readonly #maxGroups: number;

  /** @throws RangeError where an option is out of range. */
  constructor(options: ToolParallelismLearnerOptions = {}) {
    const { cohorts = 'every', maxGroups = 512 } = options;
    if (cohorts !== 'every' && cohorts !== 'maximal') {
      throw new RangeError(`cohorts must be 'every' or 'maximal', not ${String(cohorts)}`);
    }
    if (!Number.isSafeInteger(maxGroups) || maxGroups < 1) {
      throw new RangeError(`maxGroups must be a whole number of at least 1, not ${String(maxGroups)}`);
    }
    this.#mode = cohorts;
    this.#maxGroups = maxGroups;
  }

  learn(run: RunRecord): Lesson {
    const lanes = lanesOf(run);
    if (this.#mode === 'every') {
      const found = new CohortSet(this.#maxGroups);
      if (lanes.every((lane) => sweep(lane, 'every', found))) return { cohorts: found.cohorts(), dropped: 0 };
    }
    const found = new CohortSet(MAX_MAXIMAL);
    for (const lane of lanes) sweep(lane, 'maximal', found);
    const cohorts = maximalOf(found.cohorts());
    return { cohorts, dropped: found.dropped };
  }
}

/** Calls that may overlap one another, with the overlap that counts. */
interface Lane {
  readonly calls: readonly EndedCall[];
  readonly minOverlapNanos: number;
}

type EndedCall = CallRecord & { readonly endedAt: Time };

/** However wide a run is, no more of its maximal cohorts are worth keeping: no plan could hold them. */
const MAX_MAXIMAL = 4_096;
/** The same for the names in them, since n calls can make n cohorts of n/2 names. */
const MAX_NAMES = 1_000_000;

/**
 * Splits a run into scopes. Where its calls come from several processes, whose clocks differ, each scope is walked
 * once for each process with the usual margin and once as a whole with the wider one: so every pair in a cohort
 * overlaps by what its clocks demand.
 */
function lanesOf(run: RunRecord): readonly Lane[] {
  const calls = run.calls.filter(
    (call): call is EndedCall => call.kind === 'tool' && call.endedAt !== undefined,
  );
  const minOverlapNanos = (run.minOverlapMillis ?? 0) * 1e6;
  const crossOverlapNanos = Math.max(minOverlapNanos, (run.crossResourceOverlapMillis ?? 0) * 1e6);
  const lanes: Lane[] = [];
  for (const scope of groupBy(calls, (call) => call.scope ?? '')) {
    const processes = groupBy(scope, (call) => call.resource ?? '');
    for (const process of processes) lanes.push({ calls: process, minOverlapNanos });
    if (processes.length > 1) lanes.push({ calls: scope, minOverlapNanos: crossOverlapNanos });
  }
  return lanes;
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

/**
 * Walks the calls of one lane. A cohort is contained in the next one exactly where no call ended in between, so
 * `maximal` puts one out only when a call is about to leave the list.
 * @returns false where `found` could take no more.
 */
function sweep(lane: Lane, mode: 'every' | 'maximal', found: CohortSet): boolean {
  const calls = [...lane.calls].sort((a, b) => compareTimes(a.startedAt, b.startedAt));
  let active: EndedCall[] = [];
  for (const call of calls) {
    const running = active.filter(
      (other) => nanosBetween(other.endedAt, call.startedAt) > lane.minOverlapNanos,
    );
    if (mode === 'maximal' && running.length < active.length && !found.add(active)) return false;
    active = running;
    active.push(call);
    if (mode === 'every' && !found.add(active)) return false;
  }
  return mode === 'every' || found.add(active);
}

/** Distinct cohorts, bounded. */
class CohortSet {
  dropped = 0;
  readonly #max: number;
  #names = 0;
  readonly #cohorts = new Map<string, readonly string[]>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Adds the names of calls that run together; one call alone is no cohort. */
  add(calls: readonly CallRecord[]): boolean {
    if (calls.length < 2) return true;
    const { key, names } = cohortOf(calls.map((call) => call.name));
    if (this.#cohorts.has(key)) return true;
    if (this.#cohorts.size >= this.#max || this.#names + names.length > MAX_NAMES) {
      this.dropped++;
      return false;
    }
    this.#names += names.length;
    this.#cohorts.set(key, names);
    return true;
  }

  cohorts(): readonly Cohort[] {
    return [...this.#cohorts].map(([key, names]) => ({ key, names }));
  }
}

function maximalOf(cohorts: readonly Cohort[]): readonly Cohort[] {
  const kept: Cohort[] = [];
  const largestFirst = [...cohorts].sort((a, b) => b.names.length - a.names.length);
  for (const cohort of largestFirst) {
    const implied = kept.some(
      (other) => other.names.length > cohort.names.length && isContained(cohort.names, other.names),
    );
    if (!implied) kept.push(cohort);
  }
  const keys = new Set(kept.map((cohort) => cohort.key));
  return cohorts.filter((cohort) => keys.has(cohort.key));
}
