import type { Cohort } from '../model/cohort.ts';
import type { RunRecord } from '../model/run-record.ts';

/** What a learner takes from a run: the evidence that is merged into the agent's plan. */
export interface Lesson {
  /** Distinct, in the order in which they were first seen. */
  readonly cohorts: readonly Cohort[];
  /** How many cohorts were left out because the run yielded more than a plan can hold. */
  readonly dropped: number;
}

/** Turns a finished run into evidence. Pure: the same run gives the same lesson, in any process. */
export interface Learner {
  learn(run: RunRecord): Lesson;
}
