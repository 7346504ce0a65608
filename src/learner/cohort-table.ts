import { type Cohort, cohortKey } from '../model/cohort.ts';
import type { ActiveCalls, KnownName } from './active-calls.ts';
import type { Lesson } from './learner.ts';

/** A multiset of names that a sweep came upon. */
export interface KnownCohort {
  readonly low: number;
  readonly high: number;
  readonly size: number;
  /** Tells it from every other one of its table. */
  readonly number: number;
  /** The search that came upon it last. */
  foundBy: number;
  /** Made when it is first kept. */
  cohort: Cohort | undefined;
}

/**
 * What a learner has seen before, so that a run of a known kind costs a look-up for each of its calls: nothing is
 * sorted, hashed or put into text again. Bounded; starts anew when it is full.
 */
export class CohortTable {
  readonly #names = new Map<string, KnownName>();
  /** Open addressing, by signature; a power of two, and never more than half full. */
  #slots: (KnownCohort | undefined)[] = Array(64);
  #cohorts = 0;
  readonly #lessons = new Map<number, Lesson>();
  /** Names that the cohorts, and cohorts that the lessons, hold in all. */
  #held = 0;

  /** To be called between runs: what was handed out before stands for nothing afterwards. */
  trim(): void {
    if (this.#names.size <= MAX_NAMES && this.#cohorts <= MAX_COHORTS && this.#held <= MAX_HELD) return;
    this.#names.clear();
    this.#slots = Array(64);
    this.#cohorts = 0;
    this.#lessons.clear();
    this.#held = 0;
  }

  nameOf(name: string): KnownName {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    // Random, so that nobody can choose names whose sums meet.
    const made = { name, low: random32(), high: random32(), active: 0, place: 0 };
    this.#names.set(name, made);
    return made;
  }

  /** The multiset of the calls that are active. */
  find({ low, high, size }: ActiveCalls): KnownCohort {
    const mask = this.#slots.length - 1;
    for (let at = low & mask; ; at = (at + 1) & mask) {
      const known = this.#slots[at];
      if (known === undefined) break;
      if (known.low === low && known.high === high && known.size === size) return known;
    }
    const made = { low, high, size, number: this.#cohorts++, foundBy: 0, cohort: undefined };
    if (this.#cohorts * 2 > this.#slots.length) this.#grow();
    this.#place(made);
    return made;
  }

  /** @param active what `known` was found for. */
  complete(known: KnownCohort, active: ActiveCalls): void {
    if (known.cohort !== undefined) return;
    const names = active.sortedNames();
    known.cohort = { key: cohortKey(names), names };
    this.#held += names.length;
  }

  /** The same lesson for the same cohorts in the same order, so that others can tell by a glance that they are. */
  lessonOf(found: readonly KnownCohort[], count: number): Lesson {
    let hash = count;
    for (let i = 0; i < count; i++) hash = (Math.imul(hash, 31) + (found[i] as KnownCohort).number) | 0;
    const known = this.#lessons.get(hash);
    if (known !== undefined && isOf(known, found, count)) return known;
    const lesson = { cohorts: cohortsOf(found, count), dropped: 0 };
    this.#lessons.set(hash, lesson);
    this.#held += count + 1;
    return lesson;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = Array(old.length * 2);
    for (const known of old) if (known !== undefined) this.#place(known);
  }

  #place(known: KnownCohort): void {
    const mask = this.#slots.length - 1;
    let at = known.low & mask;
    while (this.#slots[at] !== undefined) at = (at + 1) & mask;
    this.#slots[at] = known;
  }
}

const MAX_NAMES = 20_000;
const MAX_COHORTS = 50_000;
/** Some megabytes. */
const MAX_HELD = 500_000;

/** The cohorts of the first `count`. */
export function cohortsOf(found: readonly KnownCohort[], count: number): readonly Cohort[] {
  return found.slice(0, count).flatMap(({ cohort }) => cohort ?? []);
}

function isOf({ cohorts }: Lesson, found: readonly KnownCohort[], count: number): boolean {
  if (cohorts.length !== count) return false;
  for (let i = 0; i < count; i++) if (cohorts[i] !== found[i]?.cohort) return false;
  return true;
}

function random32(): number {
  return (Math.random() * 2 ** 32) | 0;
}
