import { runRecordBytes } from '../../model/run-record-bytes.ts';
import { formatApplied, formatEvidence, parseApplied, parseEvidence } from '../agent-codec.ts';
import type { AgentState, AppliedRuns, ContributingRun, Evidence } from '../agent-state.ts';
import type { AppliedChanges } from '../apply-runs.ts';
import { parsePlan } from '../plan-json.ts';
import type { LmdbEnvironment } from './lmdb-environment.ts';
import type { Retention } from './retention.ts';

/** All that the tables hold of one agent. To be changed inside a write transaction only. */
export class StoredAgent {
  readonly key: string;
  readonly #environment: LmdbEnvironment;
  readonly #retention: Retention;

  /** @param key that `keyOf` makes of its name. */
  constructor(environment: LmdbEnvironment, key: string, retention: Retention) {
    this.#environment = environment;
    this.key = key;
    this.#retention = retention;
  }

  get isKnown(): boolean {
    return this.#environment.agents.doesExist(this.key) || this.#environment.plans.doesExist(this.key);
  }

  /** Whether it has a plan or runs. */
  get hasContent(): boolean {
    return this.#environment.plans.doesExist(this.key) || !isEmpty(this.newestRuns());
  }

  get hasHistory(): boolean {
    return !isEmpty(this.#environment.applied.entries(this.key, 0));
  }

  get planJson(): string | undefined {
    return this.#environment.plans.get(this.key);
  }

  get revision(): number {
    return this.#entry?.revision ?? 0;
  }

  get evidence(): ReadonlyMap<string, Evidence> {
    const evidence = new Map<string, Evidence>();
    for (const { key, value } of this.#environment.evidence.getRange(this.#evidenceRange)) {
      const entry = parseEvidence(value);
      if (entry !== undefined) evidence.set(key.slice(this.key.length + 1), entry);
    }
    return evidence;
  }

  /** The JSON of its runs that are still kept. */
  newestRuns(): Iterable<string> {
    return this.#environment.runs.newest(this.key, this.#retention.runsSince());
  }

  /** @throws StoreError `corrupt_plan` where its plan cannot be read; `label` says whose it is. */
  readState(label: string): AgentState {
    const json = this.planJson;
    const entry = this.#entry;
    return {
      plan: json === undefined ? undefined : parsePlan(json, label),
      revision: entry?.revision ?? 0,
      evidence: this.evidence,
      latest: entry?.latest,
      compacted: entry?.compacted ?? false,
      isMerged: false,
    };
  }

  readHistory(): AppliedRuns {
    const { applied } = this.#environment;
    const { key } = this;
    return {
      get(runId) {
        const text = applied.get(key, runId);
        return text === undefined ? undefined : parseApplied(text);
      },
      *entries() {
        for (const [runId, text] of applied.entries(key, 0)) {
          const run = parseApplied(text);
          if (run !== undefined) yield [runId, run];
        }
      },
    };
  }

  trimHistory(): void {
    const { limits } = this.#retention;
    this.#environment.applied.trim(this.key, limits.maxAppliedRuns, this.#retention.appliedSince());
  }

  /** Writes what `next` changes against `before`. */
  write(agentId: string, before: AgentState, next: AppliedChanges): void {
    const { plans, evidence, applied, runs, agents } = this.#environment;
    const { plan, revision, latest, compacted } = next.state;
    if (plan === undefined) plans.removeSync(this.key);
    else if (plan !== before.plan) plans.putSync(this.key, JSON.stringify(plan));
    for (const [key, entry] of next.evidence) {
      if (entry === undefined) evidence.removeSync(`${this.key}/${key}`);
      else evidence.putSync(`${this.key}/${key}`, formatEvidence(entry));
    }
    const now = this.#retention.now();
    for (const [{ runId, run }, appliedRun] of next.applied) {
      applied.put(this.key, runId, formatApplied(appliedRun), now, 'renew');
      if (run === undefined) runs.remove(this.key, runId);
      else runs.put(this.key, runId, Buffer.from(runRecordBytes(run)).toString(), now, 'keep');
    }
    this.trimHistory();
    runs.trim(this.key, this.#retention.limits.maxRunsPerAgent, this.#retention.runsSince());
    const entry: AgentEntry = { agentId, revision, ...(latest && { latest }), compacted };
    agents.putSync(this.key, JSON.stringify(entry));
  }

  remove(): void {
    const { plans, agents, evidence, applied, runs } = this.#environment;
    plans.removeSync(this.key);
    agents.removeSync(this.key);
    for (const key of [...evidence.getKeys(this.#evidenceRange)]) evidence.removeSync(key);
    applied.clear(this.key);
    runs.clear(this.key);
  }

  get #entry(): AgentEntry | undefined {
    const json = this.#environment.agents.get(this.key);
    return json === undefined ? undefined : (JSON.parse(json) as AgentEntry);
  }

  /** All keys `<agent>/…`; `0` is the character after `/`. */
  get #evidenceRange() {
    return { start: `${this.key}/`, end: `${this.key}0` };
  }
}

/** What stands in the table of agents. */
export interface AgentEntry {
  readonly agentId: string;
  readonly revision: number;
  readonly latest?: ContributingRun;
  readonly compacted: boolean;
}

function isEmpty(items: Iterable<unknown>): boolean {
  return items[Symbol.iterator]().next().done === true;
}
