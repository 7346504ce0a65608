import type { RunRecord } from '../model/run-record.ts';
import { ChangeListeners } from './change-listeners.ts';
import { resolveLimits, type StoreLimits } from './limits.ts';
import {
  type ApplyOutcome,
  type GroupSupport,
  type PlanChange,
  type PlanStore,
  type RunChange,
  type StoredPlan,
  StoreError,
} from './plan-store.ts';
import { AgentReader } from './redis/agent-reader.ts';
import { AgentWriter } from './redis/agent-writer.ts';
import { ChangeFeed } from './redis/change-feed.ts';
import { RedisKeys } from './redis/keys.ts';
import type { RedisClient } from './redis/redis-client.ts';
import { RedisConnection } from './redis/redis-connection.ts';

export interface RedisPlanStoreOptions extends Partial<StoreLimits> {
  /** `redis://`, `rediss://`, or `unix:PATH`. Loads ioredis when it is first used. Either this or `client`. */
  readonly url?: string;
  /** A client of ioredis 5 or 6, also of Sentinel or Cluster. It stays yours: `close` does not end it. */
  readonly client?: RedisClient;
  /** Default `spanplan:`; with `nemo_relay:` or `nemo_flow:` the plans are shared with that runtime. */
  readonly keyPrefix?: string;
  /** Keeps all keys of an agent in one slot of a Redis Cluster. Default: on for a Cluster client, else off. */
  readonly hashTags?: boolean;
  /** Wall clock in milliseconds. */
  readonly now?: () => number;
}

/** Plans in Redis 6.2 or later, or Valkey, shared by any number of processes. Every `apply` is one script. */
export class RedisPlanStore implements PlanStore {
  readonly #connection: RedisConnection;
  readonly #listeners = new ChangeListeners();
  readonly #feed: ChangeFeed;
  readonly #reader: AgentReader;
  readonly #writer: AgentWriter;
  #closed = false;

  /** @throws RangeError where an option is out of range or contradicts another. */
  constructor(options: RedisPlanStoreOptions) {
    const { url, client, keyPrefix = 'spanplan:', hashTags = client?.isCluster ?? false } = options;
    if ((url === undefined) === (client === undefined)) throw new RangeError('Give either url or client');
    if (client !== undefined) checkClient(client, hashTags);
    const limits = resolveLimits(options);
    const keys = new RedisKeys(keyPrefix, hashTags);
    this.#connection = new RedisConnection(client === undefined ? { url: url ?? '' } : { client });
    this.#feed = new ChangeFeed(this.#connection, keys.changes, this.#listeners);
    this.#reader = new AgentReader(this.#connection, keys);
    this.#writer = new AgentWriter({
      connection: this.#connection,
      keys,
      limits,
      now: options.now ?? Date.now,
      feed: this.#feed,
      listeners: this.#listeners,
    });
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
    if (this.#closed) throw new StoreError('closed', 'The store has been closed.');
    this.#feed.start();
    return this.#listeners.add(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#listeners.clear();
    await this.#connection.close();
  }
}

function checkClient(client: RedisClient, hashTags: boolean): void {
  if (client.isCluster && !hashTags) {
    throw new RangeError(
      'hashTags cannot be off with a Cluster client: the keys of an agent must share a slot',
    );
  }
  const { keyPrefix } = client.options as { readonly keyPrefix?: unknown };
  if (typeof keyPrefix === 'string' && keyPrefix !== '') {
    throw new RangeError(
      'The client has a keyPrefix of its own, which scripts cannot follow; give it to the store',
    );
  }
}
