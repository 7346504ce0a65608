import type { RunRecord } from '../model/run-record.ts';
import { resolveLimits, type StoreLimits } from './limits.ts';
import { AgentReader } from './lmdb/agent-reader.ts';
import { AgentWriter } from './lmdb/agent-writer.ts';
import { ChangeWatch } from './lmdb/change-watch.ts';
import { LmdbConnection } from './lmdb/lmdb-connection.ts';
import { Retention } from './lmdb/retention.ts';
import type {
  ApplyOutcome,
  GroupSupport,
  PlanChange,
  PlanStore,
  RunChange,
  StoredPlan,
} from './plan-store.ts';

export interface LmdbPlanStoreOptions extends Partial<StoreLimits> {
  /** A directory; made where it is missing. */
  readonly path: string;
  /** How often changes made by other processes are looked for while someone subscribes. Default 500. */
  readonly pollMillis?: number;
  /** Wall clock in milliseconds. */
  readonly now?: () => number;
}

/**
 * Plans in a directory of this machine, for any number of processes at once. Every `apply` is one write transaction
 * of LMDB. Opened when it is first used; while any process opens or closes the directory, a matter of milliseconds,
 * writes to it wait.
 */
export class LmdbPlanStore implements PlanStore {
  readonly #connection: LmdbConnection;
  readonly #watch: ChangeWatch;
  readonly #reader: AgentReader;
  readonly #writer: AgentWriter;

  /** @throws RangeError where an option is out of range. */
  constructor(options: LmdbPlanStoreOptions) {
    if (options.path === '') throw new RangeError('path names no directory; it looks like lmdb:./.spanplan');
    const retention = new Retention(resolveLimits(options), options.now ?? Date.now);
    this.#connection = new LmdbConnection(options.path);
    this.#watch = new ChangeWatch(() => this.#connection.open(), options.pollMillis ?? 500);
    this.#reader = new AgentReader(this.#connection, retention);
    this.#writer = new AgentWriter(this.#connection, retention, this.#watch);
  }

  load(agentId: string): Promise<StoredPlan | undefined> {
    return this.#reader.load(agentId);
  }

  agents(): Promise<readonly string[]> {
    return this.#reader.agents();
  }

  apply(agentId: string, changes: readonly RunChange[]): Promise<ApplyOutcome> {
    return this.#writer.apply(agentId, changes);
  }

  runs(agentId: string, limit?: number): Promise<readonly RunRecord[]> {
    return this.#reader.runs(agentId, limit);
  }

  support(agentId: string): Promise<readonly GroupSupport[]> {
    return this.#reader.support(agentId);
  }

  forget(agentId: string): Promise<boolean> {
    return this.#writer.forget(agentId);
  }

  subscribe(listener: (change: PlanChange) => void): () => void {
    this.#connection.assertOpen();
    return this.#watch.add(listener);
  }

  async close(): Promise<void> {
    this.#watch.stop();
    await this.#connection.close();
  }
}
