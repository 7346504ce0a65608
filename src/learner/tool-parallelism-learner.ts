import type { Cohort } from '../model/cohort.ts';
import { MultisetIndex } from '../model/multiset-index.ts';
import type { RunRecord } from '../model/run-record.ts';
import { ActiveCalls } from './active-calls.ts';
import { CohortTable, cohortsOf, type KnownCohort } from './cohort-table.ts';
import { isEndedCall, type Lane, lanesOf } from './lanes.ts';
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
 *     calls of a run → those of one scope (and clock) → in order of start, with the active ones → cohorts
 *
 * O(n log n) in the number of calls, plus what is new in what it puts out.
 */
export class ToolParallelismLearner implements Learner {
  readonly #mode: 'every' | 'maximal';
  readonly #maxGroups: number;
  readonly #table = new CohortTable();
  readonly #active = new ActiveCalls();
  // One for all runs: the engine drops code for kinds of objects of which, at times, there are none.
  readonly #found = new CohortSet(this.#table);

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
    const found = this.#found;
    this.#table.trim();
    const lanes = lanesOf(run);
    if (this.#mode === 'every') {
      found.begin(this.#maxGroups);
      if (lanes.every((lane) => this.#sweep(lane, 'every'))) {
        return this.#table.lessonOf(found.cohorts, found.count);
      }
    }
    found.begin(MAX_MAXIMAL);
    for (const lane of lanes) this.#sweep(lane, 'maximal');
    return { cohorts: maximalOf(cohortsOf(found.cohorts, found.count)), dropped: found.dropped };
  }

  /**
   * Walks the calls of one lane in order of start; each leaves once it is over for the call that starts, which itself
   * counts as active however short it is. A cohort is contained in the next one exactly where no call left in between,
   * so `maximal` puts one out only when a call is about to leave.
   * @returns false where there was no room for more cohorts.
   */
  #sweep({ calls, minOverlapNanos }: Lane, mode: 'every' | 'maximal'): boolean {
    const active = this.#active;
    const found = this.#found;
    active.clear();
    // Nanoseconds from the middle of the lane: one number for each time, exact for 104 days on either side.
    const origin = calls[calls.length >> 1]?.startedAt[0] ?? 0;
    let isComplete = true;
    for (const call of calls) {
      if (!isEndedCall(call)) continue;
      const { name, startedAt, endedAt } = call;
      const leaveUntil = (startedAt[0] - origin) * 1e9 + startedAt[1] + minOverlapNanos;
      if (active.nextEnd <= leaveUntil) {
        if (mode === 'maximal') isComplete = found.add(active) && isComplete;
        do active.removeNext();
        while (active.nextEnd <= leaveUntil);
      }
      active.add(this.#table.nameOf(name), (endedAt[0] - origin) * 1e9 + endedAt[1]);
      if (mode === 'every' && !found.add(active)) return false;
    }
    return mode === 'every' || (found.add(active) && isComplete);
  }
}

/** However wide a run is, no more of its maximal cohorts are worth keeping: no plan could hold them. */
const MAX_MAXIMAL = 4_096;
/** The same for the names in them, since n calls can make n cohorts of n/2 names. A plan of 1 MiB holds a fifth of it. */
const MAX_NAMES = 100_000;

/** The distinct cohorts of one run after the other, bounded. */
class CohortSet {
  dropped = 0;
  /** The first `count` are those of this run. */
  readonly cohorts: KnownCohort[] = [];
  count = 0;
  readonly #table: CohortTable;
  #max = 0;
  #search = 0;
  #names = 0;

  constructor(table: CohortTable) {
    this.#table = table;
  }

  begin(max: number): void {
    this.#max = max;
    this.#search++;
    this.#names = this.dropped = this.count = 0;
  }

  /**
   * Adds the names of calls that run together; one call alone is no cohort.
   * @returns false where there was no room.
   */
  add(active: ActiveCalls): boolean {
    if (active.size < 2) return true;
    const known = this.#table.find(active);
    if (known.foundBy === this.#search) return true;
    known.foundBy = this.#search;
    if (this.count >= this.#max || this.#names + active.size > MAX_NAMES) {
      this.dropped++;
      return false;
    }
    this.#names += active.size;
    this.#table.complete(known, active);
    this.cohorts[this.count++] = known;
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
