import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AppliedRuns } from '../agent-state.ts';
import { outcomeOf } from '../apply-outcome.ts';
import { type AppliedChanges, applyRuns } from '../apply-runs.ts';
import type { ChangeListeners } from '../change-listeners.ts';
import type { StoreLimits } from '../limits.ts';
import { type ApplyOutcome, type RunChange, StoreError } from '../plan-store.ts';
import { AgentAdmission } from './agent-admission.ts';
import { type AgentSnapshot, readStaleReply, UNKNOWN_AGENT } from './agent-snapshot.ts';
import { applyArgs, claimArgs, releaseArgs } from './apply-args.ts';
import type { ChangeFeed } from './change-feed.ts';
import { type RedisKeys, scriptKeys } from './keys.ts';
import { OneAtATime } from './one-at-a-time.ts';
import type { RedisConnection } from './redis-connection.ts';
import { RedisScript } from './redis-script.ts';
import { SnapshotCache } from './snapshot-cache.ts';

/**
 * Changes what Redis has of an agent, and tells of it.
 *
 *     apply → computed here from the state as last seen → one script, which checks that it still holds
 *                ↑                                             │
 *                └──── stale: computed again from the reply ───┘
 */
export class AgentWriter {
  readonly #connection: RedisConnection;
  readonly #keys: RedisKeys;
  readonly #limits: StoreLimits;
  readonly #now: () => number;
  readonly #admission: AgentAdmission;
  readonly #feed: ChangeFeed;
  readonly #listeners: ChangeListeners;
  readonly #snapshots = new SnapshotCache();
  /** Agents for which this process lately competed with others; it takes turns for them at once. */
  readonly #contended = new Set<string>();
  readonly #writers = new OneAtATime((error) => error instanceof StoreError && error.code === 'unavailable');

  constructor({ connection, keys, limits, now, feed, listeners }: AgentWriterParts) {
    this.#connection = connection;
    this.#keys = keys;
    this.#limits = limits;
    this.#now = now;
    this.#admission = new AgentAdmission(connection, keys, limits.maxAgents);
    this.#feed = feed;
    this.#listeners = listeners;
  }

  apply(agentId: string, changes: readonly RunChange[]): Promise<ApplyOutcome> {
    return this.#writers.run(agentId, () => this.#apply(agentId, changes));
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

interface AgentWriterParts {
  readonly connection: RedisConnection;
  readonly keys: RedisKeys;
  readonly limits: StoreLimits;
  readonly now: () => number;
  readonly feed: ChangeFeed;
  readonly listeners: ChangeListeners;
}

const APPLY_RUNS = new RedisScript('apply-runs-9.lua');
const FORGET_AGENT = new RedisScript('forget-agent-9.lua');
const NOTHING_APPLIED: AppliedRuns = new Map();
/** With a turn for each, hundreds of writers get theirs in this time. */
const MAX_CONTENTION_MILLIS = 5_000;
const BUSY_MILLIS = 8;
