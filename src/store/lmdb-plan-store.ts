import type { RunRecord } from '../model/run-record.ts';
import { runRecordBytes } from '../model/run-record-bytes.ts';
import { parseRunRecord } from '../model/run-record-json.ts';
import { compareUtf8 } from '../model/utf8.ts';
import { formatApplied, formatEvidence, parseApplied, parseEvidence } from './agent-codec.ts';
import type { AgentState, AppliedRuns, ContributingRun, Evidence } from './agent-state.ts';
import { outcomeOf } from './apply-outcome.ts';
import { type AppliedChanges, applyRuns } from './apply-runs.ts';
import { resolveLimits, type StoreLimits } from './limits.ts';
import { ChangeWatch } from './lmdb/change-watch.ts';
import { keyOf, type LmdbEnvironment, openLmdb } from './lmdb/lmdb-environment.ts';
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
import { supportOf } from './support-of.ts';

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
 * of LMDB. Opened when it is first used.
 */
export class LmdbPlanStore implements PlanStore {
  readonly #path: string;
  readonly #limits: StoreLimits;
  readonly #now: () => number;
  readonly #watch: ChangeWatch;
  #environment: Promise<LmdbEnvironment> | undefined;
  #closed = false;

  /** @throws RangeError where an option is out of range. */
  constructor(options: LmdbPlanStoreOptions) {
    if (options.path === '') throw new RangeError('path names no directory; it looks like lmdb:./.spanplan');
    this.#path = options.path;
    this.#limits = resolveLimits(options);
    this.#now = options.now ?? Date.now;
    this.#watch = new ChangeWatch(() => this.#open(), options.pollMillis ?? 500);
  }

  async load(agentId: string): Promise<StoredPlan | undefined> {
    const environment = await this.#open();
    const agent = keyOf(agentId);
    const json = environment.plans.get(agent);
    if (json === undefined) return undefined;
    return { plan: parsePlan(json, this.#where(agentId)), revision: readAgent(environment, agent).revision };
  }

  async agents(): Promise<readonly string[]> {
    const environment = await this.#open();
    const known: string[] = [];
    for (const { key, value } of environment.agents.getRange()) {
      if (this.#hasContent(environment, key)) known.push((JSON.parse(value) as AgentEntry).agentId);
    }
    return known.sort(compareUtf8);
  }

  async apply(agentId: string, changes: readonly RunChange[]): Promise<ApplyOutcome> {
    const { next, before } = await this.#transaction((environment) => {
      const agent = keyOf(agentId);
      environment.applied.trim(agent, this.#limits.maxAppliedRuns, this.#appliedSince());
      const state = this.#readState(environment, agentId);
      const history = historyOf(environment, agent);
      const next = applyRuns(agentId, state, history, changes, this.#limits);
      if (next.applied.length > 0) {
        this.#admit(environment, agent);
        this.#write(environment, agentId, state, next);
      }
      return { next, before: state.revision };
    });
    const { revision } = next.state;
    if (revision !== before) this.#watch.tell({ agentId, revision });
    return outcomeOf(next);
  }

  async runs(agentId: string, limit = Number.POSITIVE_INFINITY): Promise<readonly RunRecord[]> {
    const environment = await this.#open();
    const newestFirst: RunRecord[] = [];
    if (limit <= 0) return newestFirst;
    for (const json of environment.runs.newest(keyOf(agentId), this.#runsSince())) {
      newestFirst.push(parseRunRecord(JSON.parse(json)));
      if (newestFirst.length >= limit) break;
    }
    return newestFirst.reverse();
  }

  async support(agentId: string): Promise<readonly GroupSupport[]> {
    return supportOf(readEvidence(await this.#open(), keyOf(agentId)).values());
  }

  async forget(agentId: string): Promise<boolean> {
    const change = { agentId, revision: undefined };
    const found = await this.#transaction((environment) => {
      const agent = keyOf(agentId);
      if (!environment.agents.doesExist(agent) && !environment.plans.doesExist(agent)) return false;
      remove(environment, agent);
      this.#watch.record(environment, agent, change);
      return true;
    });
    if (found) this.#watch.tell(change);
    return found;
  }

  subscribe(listener: (change: PlanChange) => void): () => void {
    this.#assertOpen();
    return this.#watch.add(listener);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch.stop();
    const environment = await this.#environment?.catch(() => undefined);
    await environment?.root.close();
  }

  #assertOpen(): void {
    if (this.#closed) throw new StoreError('closed', 'The store has been closed.');
  }

  async #open(): Promise<LmdbEnvironment> {
    this.#assertOpen();
    this.#environment ??= openLmdb(this.#path);
    const environment = await this.#environment;
    this.#assertOpen();
    // Else reads of one turn of the event loop would all see the state at its first.
    environment.root.resetReadTxn();
    return environment;
  }

  async #transaction<T>(work: (environment: LmdbEnvironment) => T): Promise<T> {
    const environment = await this.#open();
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      const error = new StoreError('unavailable', `The store at ${this.#path} is locked by another process.`);
      timer = setTimeout(() => reject(error), TRANSACTION_TIMEOUT_MILLIS);
    });
    try {
      return await Promise.race([environment.root.transaction(() => work(environment)), timeout]);
    } catch (error) {
      if (error instanceof StoreError) throw error;
      this.#assertOpen();
      const reason = error instanceof Error ? error.message : String(error);
      throw new StoreError('unavailable', `The store at ${this.#path} cannot be written: ${reason}`, {
        cause: error,
      });
    } finally {
      clearTimeout(timer);
    }
  }

  #readState(environment: LmdbEnvironment, agentId: string): AgentState {
    const agent = keyOf(agentId);
    const json = environment.plans.get(agent);
    const { revision, latest, compacted } = readAgent(environment, agent);
    return {
      plan: json === undefined ? undefined : parsePlan(json, this.#where(agentId)),
      revision,
      evidence: readEvidence(environment, agent),
      latest,
      compacted,
      isMerged: false,
    };
  }

  #write(environment: LmdbEnvironment, agentId: string, before: AgentState, next: AppliedChanges): void {
    const agent = keyOf(agentId);
    const { plan, revision, latest, compacted } = next.state;
    if (plan === undefined) environment.plans.removeSync(agent);
    else if (plan !== before.plan) environment.plans.putSync(agent, JSON.stringify(plan));
    for (const [key, entry] of next.evidence) {
      if (entry === undefined) environment.evidence.removeSync(`${agent}/${key}`);
      else environment.evidence.putSync(`${agent}/${key}`, formatEvidence(entry));
    }
    const now = this.#now();
    for (const [{ runId, run }, applied] of next.applied) {
      environment.applied.put(agent, runId, formatApplied(applied), now, 'renew');
      if (run === undefined) environment.runs.remove(agent, runId);
      else environment.runs.put(agent, runId, Buffer.from(runRecordBytes(run)).toString(), now, 'keep');
    }
    environment.applied.trim(agent, this.#limits.maxAppliedRuns, this.#appliedSince());
    environment.runs.trim(agent, this.#limits.maxRunsPerAgent, this.#runsSince());
    const entry: AgentEntry = { agentId, revision, ...(latest && { latest }), compacted };
    environment.agents.putSync(agent, JSON.stringify(entry));
    if (revision !== before.revision) this.#watch.record(environment, agent, { agentId, revision });
  }

  /** Takes a new agent in, once the room of agents of which nothing is left has been used. */
  #admit(environment: LmdbEnvironment, agent: string): void {
    const { maxAgents } = this.#limits;
    if (environment.agents.doesExist(agent) || environment.agents.getKeysCount() < maxAgents) return;
    const empty = [...environment.agents.getKeys()].filter((other) => {
      environment.applied.trim(other, this.#limits.maxAppliedRuns, this.#appliedSince());
      const hasHistory = !environment.applied.entries(other, 0)[Symbol.iterator]().next().done;
      return !hasHistory && !this.#hasContent(environment, other);
    });
    for (const other of empty) remove(environment, other);
    if (environment.agents.getKeysCount() < maxAgents) return;
    throw new StoreError('agent_limit', `The store has ${maxAgents} agents already, its bound (maxAgents).`);
  }

  #hasContent(environment: LmdbEnvironment, agent: string): boolean {
    if (environment.plans.doesExist(agent)) return true;
    return !environment.runs.newest(agent, this.#runsSince())[Symbol.iterator]().next().done;
  }

  #appliedSince(): number {
    return this.#now() - this.#limits.appliedRunTtlSeconds * 1_000;
  }

  #runsSince(): number {
    return this.#now() - this.#limits.runTtlSeconds * 1_000;
  }

  #where(agentId: string): string {
    return `${this.#path}, agent ${JSON.stringify(agentId)}`;
  }
}

const TRANSACTION_TIMEOUT_MILLIS = 1_800;

interface AgentEntry {
  readonly agentId: string;
  readonly revision: number;
  readonly latest?: ContributingRun;
  readonly compacted: boolean;
}

function readAgent(environment: LmdbEnvironment, agent: string) {
  const json = environment.agents.get(agent);
  const entry = json === undefined ? undefined : (JSON.parse(json) as AgentEntry);
  return {
    revision: entry?.revision ?? 0,
    latest: entry?.latest,
    compacted: entry?.compacted ?? false,
  };
}

function readEvidence(environment: LmdbEnvironment, agent: string): ReadonlyMap<string, Evidence> {
  const evidence = new Map<string, Evidence>();
  for (const { key, value } of environment.evidence.getRange({ start: `${agent}/`, end: `${agent}0` })) {
    const entry = parseEvidence(value);
    if (entry !== undefined) evidence.set(key.slice(agent.length + 1), entry);
  }
  return evidence;
}

function historyOf(environment: LmdbEnvironment, agent: string): AppliedRuns {
  return {
    get(runId) {
      const text = environment.applied.get(agent, runId);
      return text === undefined ? undefined : parseApplied(text);
    },
    *entries() {
      for (const [runId, text] of environment.applied.entries(agent, 0)) {
        const run = parseApplied(text);
        if (run !== undefined) yield [runId, run];
      }
    },
  };
}

function remove(environment: LmdbEnvironment, agent: string): void {
  environment.plans.removeSync(agent);
  environment.agents.removeSync(agent);
  for (const key of [...environment.evidence.getKeys({ start: `${agent}/`, end: `${agent}0` })]) {
    environment.evidence.removeSync(key);
  }
  environment.applied.clear(agent);
  environment.runs.clear(agent);
}
