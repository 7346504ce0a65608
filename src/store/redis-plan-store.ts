import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunRecord } from '../model/run-record.ts';
import { parseRunRecord } from '../model/run-record-json.ts';
import { compareUtf8 } from '../model/utf8.ts';
import { parseEvidence } from './agent-codec.ts';
import type { AppliedRuns } from './agent-state.ts';
import { outcomeOf } from './apply-outcome.ts';
import { type AppliedChanges, applyRuns } from './apply-runs.ts';
import { ChangeListeners } from './change-listeners.ts';
import { resolveLimits, type StoreLimits } from './limits.ts';
import { parsePlan } from './plan-json.ts';
import {
  type ApplyOutcome,
  type GroupSupport,
  type PlanChange,
  type PlanStore,
  type RunChange,
  type StoredPlan,
  StoreError,
} from './plan-store.ts';
import { AgentAdmission } from './redis/agent-admission.ts';
import { type AgentSnapshot, readStaleReply, UNKNOWN_AGENT } from './redis/agent-snapshot.ts';
import { applyArgs, claimArgs, releaseArgs } from './redis/apply-args.ts';
import { ChangeFeed } from './redis/change-feed.ts';
import { RedisKeys, scriptKeys } from './redis/keys.ts';
import { OneAtATime } from './redis/one-at-a-time.ts';
import type { RedisClient } from './redis/redis-client.ts';
import { RedisConnection } from './redis/redis-connection.ts';
import { RedisScript } from './redis/redis-script.ts';
import { SnapshotCache } from './redis/snapshot-cache.ts';
import { supportOf } from './support-of.ts';

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

/**
 * Plans in Redis 6.2 or later, or Valkey, shared by any number of processes.
 *
 *     apply → computed here from the state as last seen → one script, which checks that it still holds
 *                ↑                                             │
 *                └──── stale: computed again from the reply ───┘
 */
export class RedisPlanStore implements PlanStore {
  readonly #limits: StoreLimits;
  readonly #now: () => number;
  readonly #keys: RedisKeys;
  readonly #connection: RedisConnection;
  readonly #admission: AgentAdmission;
  readonly #listeners = new ChangeListeners();
  readonly #feed: ChangeFeed;
  readonly #snapshots = new SnapshotCache();
  /** Agents for which this process lately competed with others; it takes turns for them at once. */
  readonly #contended = new Set<string>();
  readonly #writers = new OneAtATime((error) => error instanceof StoreError && error.code === 'unavailable');
  #closed = false;

  /** @throws RangeError where an option is out of range or contradicts another. */
  constructor(options: RedisPlanStoreOptions) {
    const { url, client, keyPrefix = 'spanplan:', hashTags = client?.isCluster ?? false } = options;
    if ((url === undefined) === (client === undefined)) throw new RangeError('Give either url or client');
    if (client !== undefined) checkClient(client, hashTags);
    this.#limits = resolveLimits(options);
    this.#now = options.now ?? Date.now;
    this.#keys = new RedisKeys(keyPrefix, hashTags);
    this.#connection = new RedisConnection(client === undefined ? { url: url ?? '' } : { client });
    this.#admission = new AgentAdmission(this.#connection, this.#keys, this.#limits.maxAgents);
    this.#feed = new ChangeFeed(this.#connection, this.#keys.changes, this.#listeners);
  }

  async load(agentId: string): Promise<StoredPlan | undefined> {
    const keys = this.#keys.of(agentId);
    // The revision first: a reader that gets an old one with a new plan looks again, the other way round it would not.
    const [meta, json] = await Promise.all([
      this.#connection.command('hmget', [keys.meta, 'revision']),
      this.#connection.command('get', [keys.plan]),
    ]);
    if (typeof json !== 'string') return undefined;
    const [revision] = meta as [string | null];
    return { plan: parsePlan(json, keys.plan), revision: Number(revision ?? 0) };
  }

  async agents(): Promise<readonly string[]> {
    const found = new Set<string>();
    await this.#connection.onEachMaster(async (command) => {
      for (const pattern of this.#keys.agentPatterns()) {
        let cursor = '0';
        do {
          const reply = await command('scan', [cursor, 'match', pattern, 'count', SCAN_COUNT]);
          const [next, keys] = reply as [string, string[]];
          for (const key of keys) {
            const agentId = this.#keys.agentOf(key);
            if (agentId !== undefined) found.add(agentId);
          }
          cursor = String(next);
        } while (cursor !== '0');
      }
    });
    return [...found].sort(compareUtf8);
  }

  apply(agentId: string, changes: readonly RunChange[]): Promise<ApplyOutcome> {
    return this.#writers.run(agentId, () => this.#apply(agentId, changes));
  }

  async runs(agentId: string, limit = Number.POSITIVE_INFINITY): Promise<readonly RunRecord[]> {
    const { runsIndex, runPrefix } = this.#keys.of(agentId);
    const index = (await this.#connection.command('lrange', [runsIndex, 0, -1])) as string[];
    const ids = [...new Set(index.reverse())];
    const newestFirst: RunRecord[] = [];
    for (let i = 0; i < ids.length && newestFirst.length < limit; i += MGET_COUNT) {
      const keys = ids.slice(i, i + MGET_COUNT).map((id) => runPrefix + id);
      for (const json of (await this.#connection.command('mget', keys)) as unknown[]) {
        const run = readRun(json, agentId);
        if (run !== undefined && newestFirst.length < limit) newestFirst.push(run);
      }
    }
    return newestFirst.reverse();
  }

  async support(agentId: string): Promise<readonly GroupSupport[]> {
    const values = (await this.#connection.command('hvals', [this.#keys.of(agentId).evidence])) as string[];
    return supportOf(values.map(parseEvidence).filter((evidence) => evidence !== undefined));
  }

  async forget(agentId: string): Promise<boolean> {
    const message = this.#feed.message(agentId, undefined);
    const found = await FORGET_AGENT.run(this.#connection, scriptKeys(this.#keys.of(agentId)), [
      this.#feed.channel,
      message,
    ]);
    this.#snapshots.delete(agentId);
    await this.#admission.dismiss(agentId);
    if (found === 1) this.#listeners.notify({ agentId, revision: undefined });
    return found === 1;
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

  async #apply(agentId: string, changes: readonly RunChange[]): Promise<ApplyOutcome> {
    let snapshot = this.#snapshots.get(agentId) ?? UNKNOWN_AGENT;
    let history: AppliedRuns = NOTHING_APPLIED;
    let turn = '';
    const giveUpAt = performance.now() + MAX_CONTENTION_MILLIS;
    for (let conflicts = 0; performance.now() < giveUpAt; ) {
      const claims = conflicts > 1 || this.#contended.has(agentId);
      if (claims) {
        turn ||= randomBytes(8).toString('hex');
        const reply = await this.#claim(agentId, changes, turn);
        if (reply[0] === 'busy') {
          await sleep(1 + Math.random() * BUSY_MILLIS);
          continue;
        }
        const known = snapshot;
        ({ snapshot, history } = readStaleReply(reply, this.#keys.of(agentId).plan));
        // Nobody else wrote since we did.
        if (snapshot.writes === known.writes && snapshot.epoch === known.epoch)
          this.#contended.delete(agentId);
      }
      const next = applyRuns(agentId, snapshot.state, history, changes, this.#limits);
      if (next.applied.length === 0) {
        if (turn !== '') await this.#runApply(agentId, releaseArgs(turn));
        return outcomeOf(next, conflicts);
      }
      await this.#admission.admit(agentId);
      const reply = await this.#write(agentId, snapshot, history, next, turn);
      if (reply[0] === 'ok') return this.#written(agentId, snapshot, next, reply, conflicts);
      if (snapshot !== UNKNOWN_AGENT) conflicts++;
      if (conflicts > 1) this.#contended.add(agentId);
      if (reply[0] === 'stale') {
        ({ snapshot, history } = readStaleReply(reply, this.#keys.of(agentId).plan));
        this.#snapshots.set(agentId, snapshot);
      }
    }
    throw new StoreError(
      'conflict',
      `Other writers kept changing the plan at ${this.#keys.of(agentId).plan}. Nothing was written.`,
    );
  }

  #claim(agentId: string, changes: readonly RunChange[], turn: string): Promise<readonly unknown[]> {
    const runs = changes.map(({ runId, revision }) => [runId, revision] as const);
    const args = claimArgs(runs, { nowMillis: this.#now(), limits: this.#limits, turn });
    return this.#runApply(agentId, args);
  }

  #write(
    agentId: string,
    snapshot: AgentSnapshot,
    history: AppliedRuns,
    next: AppliedChanges,
    turn: string,
  ): Promise<readonly unknown[]> {
    const args = applyArgs(snapshot, history, next, {
      nowMillis: this.#now(),
      limits: this.#limits,
      channel: this.#feed.channel,
      message: this.#feed.message(agentId, next.state.revision),
      turn,
    });
    return this.#runApply(agentId, args);
  }

  async #runApply(agentId: string, args: Buffer): Promise<readonly unknown[]> {
    return (await APPLY_RUNS.run(this.#connection, scriptKeys(this.#keys.of(agentId)), [args])) as unknown[];
  }

  #written(
    agentId: string,
    before: AgentSnapshot,
    next: AppliedChanges,
    reply: readonly unknown[],
    conflicts: number,
  ): ApplyOutcome {
    const [, revision, epoch, writes] = reply.map(String);
    if (next.state !== before.state) {
      this.#snapshots.set(agentId, {
        state: next.state,
        epoch: epoch ?? '',
        writes: writes ?? '0',
        planSha: 'ours',
      });
      if (next.state.revision !== before.state.revision) {
        this.#listeners.notify({ agentId, revision: next.state.revision });
      }
    }
    return { ...outcomeOf(next, conflicts), revision: Number(revision) };
  }
}

const APPLY_RUNS = new RedisScript('apply-runs-9.lua');
const FORGET_AGENT = new RedisScript('forget-agent-9.lua');
const NOTHING_APPLIED: AppliedRuns = new Map();
/** With a turn for each, hundreds of writers get theirs in this time. */
const MAX_CONTENTION_MILLIS = 5_000;
const BUSY_MILLIS = 8;
const SCAN_COUNT = 1_000;
const MGET_COUNT = 200;

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

/** Records of others may have any content; what cannot be read, or is of another agent, is left out. */
function readRun(json: unknown, agentId: string): RunRecord | undefined {
  if (typeof json !== 'string') return undefined;
  try {
    const run = parseRunRecord(JSON.parse(json));
    return run.agentId === agentId ? run : undefined;
  } catch {
    return undefined;
  }
}
