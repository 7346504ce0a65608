import type { RunRecord } from '../model/run-record.ts';
import { compareUtf8 } from '../model/utf8.ts';
import { type AgentState, type AppliedRun, EMPTY_STATE } from './agent-state.ts';
import { outcomeOf } from './apply-outcome.ts';
import { applyRuns } from './apply-runs.ts';
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
import { supportOf } from './support-of.ts';

export interface MemoryPlanStoreOptions extends Partial<StoreLimits> {
  /** Wall clock in milliseconds. */
  readonly now?: () => number;
}

/**
 * Keeps plans in this process only: for tests, for trying things out, and as the plainest reading of the contract.
 * Subscribers are called before `apply` resolves.
 */
export class MemoryPlanStore implements PlanStore {
  readonly #limits: StoreLimits;
  readonly #now: () => number;
  readonly #agents = new Map<string, Agent>();
  readonly #listeners = new ChangeListeners();
  #closed = false;

  /** @throws RangeError where a bound is out of range. */
  constructor(options: MemoryPlanStoreOptions = {}) {
    this.#limits = resolveLimits(options);
    this.#now = options.now ?? Date.now;
  }

  async load(agentId: string): Promise<StoredPlan | undefined> {
    this.#assertOpen();
    const state = this.#agents.get(agentId)?.state;
    return state?.plan && { plan: state.plan, revision: state.revision };
  }

  async agents(): Promise<readonly string[]> {
    this.#assertOpen();
    const known = [...this.#agents].filter(([, agent]) => this.#hasContent(agent));
    return known.map(([agentId]) => agentId).sort(compareUtf8);
  }

  async apply(agentId: string, changes: readonly RunChange[]): Promise<ApplyOutcome> {
    this.#assertOpen();
    const agent = this.#agents.get(agentId) ?? { state: EMPTY_STATE, applied: new Map(), records: new Map() };
    this.#expire(agent);
    const next = applyRuns(agentId, agent.state, agent.applied, changes, this.#limits);
    if (next.applied.length === 0) return outcomeOf(next);
    this.#admit(agentId, agent);
    const before = agent.state.revision;
    agent.state = next.state;
    for (const [change, run] of next.applied) this.#remember(agent, change, run);
    // Only now: a record that is about to be amended must not lose its place to one of the same call.
    trim(agent.applied, this.#limits.maxAppliedRuns);
    trim(agent.records, this.#limits.maxRunsPerAgent);
    if (next.state.revision !== before) this.#listeners.notify({ agentId, revision: next.state.revision });
    return outcomeOf(next);
  }

  async runs(agentId: string, limit = Number.POSITIVE_INFINITY): Promise<readonly RunRecord[]> {
    this.#assertOpen();
    const agent = this.#agents.get(agentId);
    if (agent === undefined || limit <= 0) return [];
    this.#expire(agent);
    return [...agent.records.values()].map(({ run }) => run).slice(-limit);
  }

  async support(agentId: string): Promise<readonly GroupSupport[]> {
    this.#assertOpen();
    return supportOf(this.#agents.get(agentId)?.state.evidence.values() ?? []);
  }

  async forget(agentId: string): Promise<boolean> {
    this.#assertOpen();
    const agent = this.#agents.get(agentId);
    if (agent === undefined) return false;
    this.#agents.delete(agentId);
    this.#listeners.notify({ agentId, revision: undefined });
    return true;
  }

  subscribe(listener: (change: PlanChange) => void): () => void {
    this.#assertOpen();
    return this.#listeners.add(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#listeners.clear();
    this.#agents.clear();
  }

  #assertOpen(): void {
    if (this.#closed) throw new StoreError('closed', 'The store has been closed.');
  }

  /** Takes a new agent in, once the room of agents of which nothing is left has been used. */
  #admit(agentId: string, agent: Agent): void {
    if (this.#agents.has(agentId)) return;
    const { maxAgents } = this.#limits;
    if (this.#agents.size >= maxAgents) {
      for (const [id, other] of this.#agents) {
        if (!this.#hasContent(other) && other.applied.size === 0) this.#agents.delete(id);
      }
    }
    if (this.#agents.size >= maxAgents) {
      throw new StoreError(
        'agent_limit',
        `The store has ${maxAgents} agents already, its bound (maxAgents).`,
      );
    }
    this.#agents.set(agentId, agent);
  }

  #remember(agent: Agent, change: RunChange, run: AppliedRun): void {
    const at = this.#now();
    // Taken out first, so that the map stays in order of time.
    agent.applied.delete(change.runId);
    agent.applied.set(change.runId, { ...run, at });
    if (change.run === undefined) agent.records.delete(change.runId);
    else agent.records.set(change.runId, { run: change.run, at: agent.records.get(change.runId)?.at ?? at });
  }

  #hasContent(agent: Agent): boolean {
    this.#expire(agent);
    return agent.state.plan !== undefined || agent.records.size > 0;
  }

  #expire(agent: Agent): void {
    const now = this.#now();
    expire(agent.applied, now - this.#limits.appliedRunTtlSeconds * 1_000);
    expire(agent.records, now - this.#limits.runTtlSeconds * 1_000);
  }
}

interface Agent {
  state: AgentState;
  /** Both in order of time, oldest first. */
  readonly applied: Map<string, AppliedRun & { readonly at: number }>;
  readonly records: Map<string, { readonly run: RunRecord; readonly at: number }>;
}

function trim(map: Map<string, unknown>, max: number): void {
  for (const key of map.keys()) {
    if (map.size <= max) return;
    map.delete(key);
  }
}

function expire(map: Map<string, { readonly at: number }>, before: number): void {
  for (const [key, { at }] of map) {
    if (at > before) return;
    map.delete(key);
  }
}
