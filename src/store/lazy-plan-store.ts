import type { RunRecord } from '../model/run-record.ts';
import {
  type ApplyOutcome,
  type GroupSupport,
  type PlanChange,
  type PlanStore,
  type RunChange,
  type StoredPlan,
  StoreError,
} from './plan-store.ts';

/**
 * A store that is opened when it is first needed: so that a constructor can take a URL, and importing the package
 * loads no client. Opening is tried again after it failed.
 */
export class LazyPlanStore implements PlanStore {
  readonly #open: () => Promise<PlanStore>;
  #store: Promise<PlanStore> | undefined;
  #isClosed = false;

  constructor(open: () => Promise<PlanStore>) {
    this.#open = open;
  }

  async load(agentId: string): Promise<StoredPlan | undefined> {
    return (await this.#opened()).load(agentId);
  }

  async agents(): Promise<readonly string[]> {
    return (await this.#opened()).agents();
  }

  async apply(agentId: string, changes: readonly RunChange[]): Promise<ApplyOutcome> {
    return (await this.#opened()).apply(agentId, changes);
  }

  async runs(agentId: string, limit?: number): Promise<readonly RunRecord[]> {
    return (await this.#opened()).runs(agentId, limit);
  }

  async support(agentId: string): Promise<readonly GroupSupport[]> {
    return (await this.#opened()).support(agentId);
  }

  async forget(agentId: string): Promise<boolean> {
    return (await this.#opened()).forget(agentId);
  }

  subscribe(listener: (change: PlanChange) => void): () => void {
    let isWanted = true;
    let unsubscribe: (() => void) | undefined;
    this.#opened().then(
      (store) => {
        if (isWanted) unsubscribe = store.subscribe(listener);
      },
      () => {}, // A store that cannot be opened says so to whoever reads or writes; a subscription is only a hint.
    );
    return () => {
      isWanted = false;
      unsubscribe?.();
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const store = await this.#store?.catch(() => undefined);
    await store?.close();
  }

  #opened(): Promise<PlanStore> {
    if (this.#store === undefined) {
      if (this.#isClosed) return Promise.reject(new StoreError('closed', 'The store has been closed.'));
      this.#store = this.#open();
      this.#store.catch(() => {
        this.#store = undefined;
      });
    }
    return this.#store;
  }
}
