import type { ExecutionPlan } from '../model/execution-plan.ts';
import type { Time } from '../model/time.ts';
import type { GroupSupport } from './plan-store.ts';

/** All that a store keeps of one agent besides its run records. The plan is shared with other runtimes; the rest is ours. */
export interface AgentState {
  /** As it stands in the store, with all that others wrote. */
  readonly plan: ExecutionPlan | undefined;
  readonly revision: number;
  /** What spanplan saw, by cohort key: the truth from which its share of the plan can be made again. */
  readonly evidence: ReadonlyMap<string, Evidence>;
  /** The contributing run that ended last. */
  readonly latest: ContributingRun | undefined;
  /** Set once the plan outgrew its bounds: from then on implied groups are left out. */
  readonly compacted: boolean;
  /** Whether the plan is known to hold all of the evidence. Else it may have been overwritten, and is merged again. */
  readonly isMerged: boolean;
}

export interface Evidence extends GroupSupport {
  /** Whether spanplan put the group into the plan, and so may take it back. */
  readonly added: boolean;
}

export interface ContributingRun {
  readonly runId: string;
  readonly endedAt: Time;
}

/** What is remembered of a run that was applied, so that it is applied once and can be replaced. */
export interface AppliedRun {
  readonly revision: number;
  readonly endedAt: Time;
  /** Keys of the cohorts it contributed. */
  readonly keys: readonly string[];
}

/** Looks up applied runs; `entries` is needed only where a run that contributed is replaced. */
export interface AppliedRuns {
  get(runId: string): AppliedRun | undefined;
  entries(): Iterable<readonly [runId: string, run: AppliedRun]>;
}

export const EMPTY_STATE: AgentState = {
  plan: undefined,
  revision: 0,
  evidence: new Map(),
  latest: undefined,
  compacted: false,
  isMerged: true,
};
