import type { Cohort } from '../model/cohort.ts';
import type { ExecutionPlan } from '../model/execution-plan.ts';
import type { RunRecord } from '../model/run-record.ts';
import type { Time } from '../model/time.ts';

/**
 * Where plans live. One narrow port for every store; `test/store/contract.ts` holds each to it.
 *
 * - **Atomic per agent.** `apply` changes an agent's plan, run records, index and counts together or not at all, also
 *   among writers in other processes. Nothing is promised across agents.
 * - **Nothing lost.** Whatever order writers come in, the plan holds the union of what they contributed (within
 *   `maxGroups`), and all that other runtimes wrote into it, unknown fields included.
 * - **Exactly once.** A change whose run id was applied at the same or a later revision changes nothing. This holds
 *   for `appliedRunTtlSeconds` and the newest `maxAppliedRuns` runs of an agent.
 * - **Read your writes.** Once `apply` has resolved, `load` on the same object answers with the new plan.
 * - **Never destructive.** A stored plan that cannot be read is not overwritten: `apply` rejects with
 *   `corrupt_plan`. Only what spanplan added is ever removed.
 * - **Errors** are `StoreError`s; `unavailable` means that the same call may succeed later. No method hangs: a
 *   store that cannot answer rejects within 2 seconds.
 */
export interface PlanStore {
  /** The agent's plan as it stands, or undefined where it has none. */
  load(agentId: string): Promise<StoredPlan | undefined>;

  /** All agents with a plan or runs, also those that only another runtime wrote; sorted by UTF-8 bytes. */
  agents(): Promise<readonly string[]>;

  /** Merges runs into the agent's plan, replaces those of an earlier revision, withdraws those without a record. */
  apply(agentId: string, changes: readonly RunChange[]): Promise<ApplyOutcome>;

  /** The newest run records of the agent that are still kept, oldest first; at most `limit` (default: all). */
  runs(agentId: string, limit?: number): Promise<readonly RunRecord[]>;

  /**
   * How often spanplan saw each group; sorted by group id. Groups that it never saw have no entry. One that another
   * writer overwrote is listed still, as it comes back with the next write.
   */
  support(agentId: string): Promise<readonly GroupSupport[]>;

  /** Deletes the agent's plan, runs and counts, whoever wrote them. Resolves with false where there were none. */
  forget(agentId: string): Promise<boolean>;

  /**
   * Calls `listener` after an agent's groups have changed, in this process or (where the store can tell) another.
   * A hint, at most once: readers must also look again now and then.
   * @returns a function that ends the subscription.
   */
  subscribe(listener: (change: PlanChange) => void): () => void;

  /** Ends connections and subscriptions. Later calls reject with `closed`; closing twice is fine. */
  close(): Promise<void>;
}

export interface StoredPlan {
  readonly plan: ExecutionPlan;
  /** Grows by one each time spanplan changes the plan's groups or hints; 0 where spanplan never did. */
  readonly revision: number;
}

/** One run as it is to stand in the store. */
export interface RunChange {
  readonly runId: string;
  /** 1 for the first time a run is made, greater each time it is made again from more spans. */
  readonly revision: number;
  /** The record to keep; undefined withdraws the run. */
  readonly run: RunRecord | undefined;
  /** When the run ended (else its last call); decides which run the plan names. */
  readonly endedAt: Time;
  /** What the run contributes; empty for a withdrawn run. */
  readonly cohorts: readonly Cohort[];
}

export interface ApplyOutcome {
  /** Changes that took effect. */
  readonly applied: number;
  /** Changes that had been applied before, or that a later revision in the same call replaces, and so did nothing. */
  readonly duplicates: number;
  readonly duplicateRunIds: readonly string[];
  readonly groupsAdded: number;
  /** Groups taken back because nothing supports them any more. */
  readonly groupsRemoved: number;
  /** Groups that went, or were not added, to keep the plan within its bounds: implied by others, or least supported. */
  readonly groupsCompacted: number;
  readonly groupsEvicted: number;
  /** The plan's revision after the call. */
  readonly revision: number;
  /** How often the write was tried again because another writer came first. */
  readonly conflicts: number;
}

/** In how many runs exactly this multiset of tools was seen running. */
export interface GroupSupport {
  readonly groupId: string;
  readonly toolNames: readonly string[];
  readonly runs: number;
  readonly firstSeen: Time;
  readonly lastSeen: Time;
}

export interface PlanChange {
  readonly agentId: string;
  /** Undefined where the store cannot tell, for instance after `forget`. */
  readonly revision: number | undefined;
}

/** What went wrong, for programs. */
export type StoreErrorCode =
  /** The store cannot be reached now; the same call may succeed later. */
  | 'unavailable'
  /** The stored plan is not JSON or not a plan; nothing was written. */
  | 'corrupt_plan'
  /** The store has `maxAgents` agents and this is a further one. */
  | 'agent_limit'
  /** Other writers won every try; the same call may succeed later. */
  | 'conflict'
  | 'closed';

/** Thrown by stores. The message says what to do and never holds a password. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreError';
    this.code = code;
  }
}
