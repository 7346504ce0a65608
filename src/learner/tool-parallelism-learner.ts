import { createHash } from 'node:crypto';
import { type Cohort, cohortOf } from '../model/cohort.ts';
import { memoised } from '../model/memo.ts';
import { MultisetIndex } from '../model/multiset-index.ts';
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
      if (lanes.every((lane) => sweep(lane, 'every', found))) return { cohorts: found.cohorts, dropped: 0 };
    }
    const found = new CohortSet(MAX_MAXIMAL);
    for (const lane of lanes) sweep(lane, 'maximal', found);
    return { cohorts: maximalOf(found.cohorts), dropped: found.dropped };
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
/** The same for the names in them, since n calls can make n cohorts of n/2 names. A plan of 1 MiB holds a fifth of it. */
const MAX_NAMES = 100_000;

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
 * Walks the calls of one lane in order of start; each leaves once it is over for the call that starts. A cohort is
 * contained in the next one exactly where no call left in between, so `maximal` puts one out only when a call is about
 * to leave.
 * @returns false where `found` could take no more.
 */
function sweep(lane: Lane, mode: 'every' | 'maximal', found: CohortSet): boolean {
  const byStart = [...lane.calls].sort((a, b) => compareTimes(a.startedAt, b.startedAt));
  const byEnd = [...byStart].sort((a, b) => compareTimes(a.endedAt, b.endedAt));
  const started = new Set<EndedCall>();
  /** Over, by the margin, before they start: they run with others at their own start only. */
  const brief = new Set<EndedCall>();
  const active = new ActiveNames();
  let leaving: EndedCall[] = [];
  let ended = 0;
  let isComplete = true;
  for (const call of byStart) {
    for (let next = byEnd[ended]; next && isOver(next, call, lane); next = byEnd[++ended]) {
      if (started.has(next)) leaving.push(next);
      else brief.add(next);
    }
    if (mode === 'maximal' && leaving.length > 0) isComplete = found.add(active) && isComplete;
    for (const { name } of leaving) active.remove(name);
    active.add(call.name);
    started.add(call);
    leaving = brief.has(call) ? [call] : [];
    if (mode === 'every' && !found.add(active)) return false;
  }
  return mode === 'every' || (found.add(active) && isComplete);
}

function isOver(call: EndedCall, starting: EndedCall, { minOverlapNanos }: Lane): boolean {
  return nanosBetween(call.endedAt, starting.startedAt) <= minOverlapNanos;
}

/** The names of the calls that are active, with a sum over them by which the same multiset is known again at once. */
class ActiveNames {
  size = 0;
  sum = 0n;
  readonly #counts = new Map<string, { count: number; readonly hash: bigint }>();

  add(name: string): void {
    const known = this.#counts.get(name) ?? { count: 0, hash: hashOf(name) };
    known.count++;
    this.#counts.set(name, known);
    this.size++;
    this.sum += known.hash;
  }

  remove(name: string): void {
    const known = this.#counts.get(name);
    if (known === undefined) return;
    known.count--;
    if (known.count === 0) this.#counts.delete(name);
    this.size--;
    this.sum -= known.hash;
  }

  names(): readonly string[] {
    return [...this.#counts].flatMap(([name, { count }]) => Array<string>(count).fill(name));
  }
}

const hashOf = memoised(10_000, (name) => createHash('sha256').update(name).digest().readBigUInt64LE());

/** Distinct cohorts, bounded. */
class CohortSet {
  dropped = 0;
  readonly cohorts: Cohort[] = [];
  readonly #max: number;
  readonly #sums = new Set<bigint>();
  #names = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Adds the names of calls that run together; one call alone is no cohort.
   * @returns false where there was no room.
   */
  add(active: ActiveNames): boolean {
    if (active.size < 2 || this.#sums.has(active.sum)) return true;
    this.#sums.add(active.sum);
    if (this.cohorts.length >= this.#max || this.#names + active.size > MAX_NAMES) {
      this.dropped++;
      return false;
    }
    this.#names += active.size;
    this.cohorts.push(cohortOf(active.names()));
    return true;
  }
}

/** Those that no other contains, in the order in which they came. */
function maximalOf(cohorts: readonly Cohort[]): readonly Cohort[] {
  const index = new MultisetIndex();
  const kept = new Set<Cohort>();
  for (const cohort of [...cohorts].sort((a, b) => b.names.length - a.names.length)) {
    if (index.holds(cohort.names)) continue;
    index.add(cohort.names);
    kept.add(cohort);
  }
  return cohorts.filter((cohort) => kept.has(cohort));
}
