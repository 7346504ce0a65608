import { LazyPlanStore } from '../store/lazy-plan-store.ts';
import { type ApplyOutcome, type PlanStore, type RunChange, StoreError } from '../store/plan-store.ts';

/** Stands before the store while a command learns, and notes what became of its writes. */
export class WriteWatch extends LazyPlanStore {
  /** Runs that the store knew already. */
  known = 0;
  writes = 0;
  /** Why the store does not take writes at present; trying again may help. */
  trouble: StoreError | undefined;
  /** Agents whose runs could not be written, whatever one tries, and why. */
  readonly refused = new Map<string, StoreError>();

  constructor(store: PlanStore) {
    super(async () => store);
  }

  override async apply(agentId: string, changes: readonly RunChange[]): Promise<ApplyOutcome> {
    try {
      const outcome = await super.apply(agentId, changes);
      this.known += outcome.duplicates;
      this.writes++;
      this.trouble = undefined;
      return outcome;
    } catch (error) {
      throw this.#noted(agentId, error);
    }
  }

  #noted(agentId: string, error: unknown): unknown {
    if (!(error instanceof StoreError)) return error;
    if (error.code !== 'corrupt_plan' && error.code !== 'agent_limit') {
      this.trouble = error;
      return error;
    }
    this.refused.set(agentId, error);
    // A service waits until someone has repaired the plan; a command ends, so its queue is told not to.
    return new StoreError('closed', error.message, { cause: error });
  }
}
