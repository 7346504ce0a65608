import type { ExecutionPlan, ParallelGroup } from './model/execution-plan.ts';
import { PlanIndex } from './plan-index.ts';
import type { PlanChange, PlanStore } from './store/plan-store.ts';
import { type StoreOptions, storeOf } from './store/store-of.ts';
import { type Clock, systemClock } from './support/clock.ts';
import { tell } from './support/tell.ts';
import { kindOf, messageOf } from './support/told-error.ts';

export interface PlanReaderOptions extends StoreOptions {
  /** A PlanStore or a URL, as for the processor. A store made from a URL is closed with the reader. */
  readonly store: PlanStore | string;
  /** A plan older than this is read again, in the background. Default 30,000. */
  readonly maxAgeMillis?: number;
  /** Most plans kept. Default 1,000. */
  readonly maxCachedAgents?: number;
  readonly clock?: Clock;
}

/** Whether what the reader answers is what stands in the store. */
export interface PlanReaderStatus {
  /** True while the store cannot be read, and the last plans known are served. */
  readonly isStale: boolean;
  /** Why, where it is. */
  readonly error?: Error;
}

/**
 * Reads plans, fast: from a cache that is refreshed when a plan changes and after `maxAgeMillis`. While the store is
 * away the last known plan is served; `status` says so. Loads nothing of the writing side.
 */
export class PlanReader {
  readonly #store: PlanStore;
  readonly #ownsStore: boolean;
  readonly #maxAgeMillis: number;
  readonly #maxAgents: number;
  readonly #clock: Clock;
  readonly #entries = new Map<string, CacheEntry>();
  readonly #listeners = new Set<() => void>();
  #unsubscribe: (() => void) | undefined;
  #error: Error | undefined;

  /** @throws RangeError or TypeError where an option is wrong. */
  constructor(options: PlanReaderOptions) {
    const { store, maxAgeMillis = 30_000, maxCachedAgents = 1_000, clock = systemClock } = options;
    for (const [name, value] of Object.entries({ maxAgeMillis, maxCachedAgents })) {
      if (!(value > 0)) throw new RangeError(`${name} must be a number above 0, not ${String(value)}`);
    }
    this.#ownsStore = typeof store === 'string';
    this.#store = storeOf(store, options);
    this.#maxAgeMillis = maxAgeMillis;
    this.#maxAgents = maxCachedAgents;
    this.#clock = clock;
  }

  /**
   * The agent's plan; undefined where it has none.
   * @throws StoreError where the store cannot be read and no plan of the agent is known.
   */
  get(agentId: string): Promise<ExecutionPlan | undefined> {
    return this.#current(agentId).plan;
  }

  /** All agents the store knows. Not cached. */
  agents(): Promise<readonly string[]> {
    return this.#store.agents();
  }

  /** The groups in which a tool was seen running. */
  async groupsFor(agentId: string, toolName: string): Promise<readonly ParallelGroup[]> {
    return (await this.#current(agentId).index)?.groupsFor(toolName) ?? [];
  }

  /** Whether these tools, as a multiset, lie inside one group: they were seen running at the same time. */
  async canRunTogether(agentId: string, toolNames: readonly string[]): Promise<boolean> {
    return (await this.#current(agentId).index)?.canRunTogether(toolNames) ?? toolNames.length === 0;
  }

  /**
   * Cuts calls into batches that may each run at once, in the order of the calls: one joins the current batch only if
   * the batch with it can run together. Tools that no plan knows run alone.
   */
  async partition<Call extends string | { readonly name: string }>(
    agentId: string,
    calls: readonly Call[],
  ): Promise<readonly (readonly Call[])[]> {
    const index = await this.#current(agentId).index;
    return index?.partition(calls, nameOf) ?? calls.map((call) => [call]);
  }

  /**
   * Calls `listener` after an agent's groups have changed. A hint, at most once for each change.
   * @returns a function that ends the subscription.
   */
  subscribe(listener: (change: PlanChange) => void): () => void {
    const unsubscribe = this.#store.subscribe(listener);
    this.#listeners.add(unsubscribe);
    return () => {
      this.#listeners.delete(unsubscribe);
      unsubscribe();
    };
  }

  get status(): PlanReaderStatus {
    return this.#error === undefined ? { isStale: false } : { isStale: true, error: this.#error };
  }

  /** Ends subscriptions, and the connection where the reader made it. */
  async close(): Promise<void> {
    this.#unsubscribe?.();
    for (const unsubscribe of this.#listeners) unsubscribe();
    this.#listeners.clear();
    this.#entries.clear();
    if (this.#ownsStore) await this.#store.close();
  }

  #current(agentId: string): CacheEntry {
    const entry = this.#entries.get(agentId);
    if (entry === undefined || entry.isOutdated) return this.#load(agentId, entry);
    const now = this.#clock.now();
    if (now < entry.expiresAt) return entry;
    // A plan that nobody asked for in a long time is worth waiting for; one in use is refreshed behind the answer.
    if (now >= entry.expiresAt + this.#maxAgeMillis) return this.#load(agentId, entry);
    this.#refresh(agentId, entry);
    return entry;
  }

  /** Reads a plan that someone waits for. Where that fails, the last known one is as good as it gets. */
  #load(agentId: string, known: CacheEntry | undefined): CacheEntry {
    // Whoever asks in the meantime waits for the same answer, the last known plan included.
    const entry: CacheEntry = this.#entry(
      this.#subscribeAndRead(agentId)
        .catch((error: unknown) => {
          if (known === undefined) throw error;
          entry.isOutdated = false;
          entry.expiresAt = this.#clock.now() + RETRY_MILLIS;
          return known.index;
        })
        .catch((error: unknown) => {
          // The last known one may have come to nothing too. Whoever asks next has the store asked again.
          if (this.#entries.get(agentId) === entry) this.#entries.delete(agentId);
          throw error;
        }),
    );
    this.#put(agentId, entry);
    return entry;
  }

  async #subscribeAndRead(agentId: string): Promise<PlanIndex | undefined> {
    // Before the first read, so that no change in between is missed.
    this.#unsubscribe ??= this.#store.subscribe((change) => this.#outdate(change.agentId));
    return this.#read(agentId);
  }

  /** Reads a plan again that has become old; until that is done, the old one is served. */
  #refresh(agentId: string, known: CacheEntry): void {
    known.expiresAt = this.#clock.now() + RETRY_MILLIS;
    const index = this.#read(agentId);
    index.then(
      () => {
        // What changed since is not in what was read.
        if (this.#entries.get(agentId) === known && !known.isOutdated) {
          this.#put(agentId, this.#entry(index));
        }
      },
      () => {}, // told in `status`, and tried again
    );
  }

  async #read(agentId: string): Promise<PlanIndex | undefined> {
    try {
      const stored = await this.#store.load(agentId);
      this.#recovered();
      return stored && new PlanIndex(stored.plan);
    } catch (error) {
      this.#failed(error);
      throw error;
    }
  }

  #entry(index: Promise<PlanIndex | undefined>): CacheEntry {
    const plan = index.then((known) => known?.plan);
    // Whoever asked is told by the promise that they got.
    plan.catch(() => {});
    index.catch(() => {});
    return { index, plan, isOutdated: false, expiresAt: this.#clock.now() + this.#maxAgeMillis };
  }

  #put(agentId: string, entry: CacheEntry): void {
    this.#entries.delete(agentId);
    this.#entries.set(agentId, entry);
    if (this.#entries.size <= this.#maxAgents) return;
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }

  #outdate(agentId: string): void {
    const entry = this.#entries.get(agentId);
    if (entry !== undefined) entry.isOutdated = true;
  }

  #failed(error: unknown): void {
    const isFirst = this.#error === undefined;
    this.#error = error instanceof Error ? error : new Error(messageOf(error));
    if (isFirst) {
      const reason = `${kindOf(this.#error)}: ${messageOf(this.#error)}`;
      tell.warn('spanplan: plans cannot be read; the last known ones are served', reason);
    }
  }

  #recovered(): void {
    if (this.#error !== undefined) tell.info('spanplan: plans can be read again');
    this.#error = undefined;
  }
}

/** How soon a plan is read again after that failed. */
const RETRY_MILLIS = 1_000;

interface CacheEntry {
  readonly index: Promise<PlanIndex | undefined>;
  readonly plan: Promise<ExecutionPlan | undefined>;
  /** The store said that the plan changed since. */
  isOutdated: boolean;
  expiresAt: number;
}

function nameOf(call: string | { readonly name: string }): string {
  return typeof call === 'string' ? call : call.name;
}
