import type { RunRecord } from '../../model/run-record.ts';
import { parseRunRecord } from '../../model/run-record-json.ts';
import { compareUtf8 } from '../../model/utf8.ts';
import { parsePlan } from '../plan-json.ts';
import type { GroupSupport, StoredPlan } from '../plan-store.ts';
import { supportOf } from '../support-of.ts';
import type { LmdbConnection } from './lmdb-connection.ts';
import { keyOf } from './lmdb-environment.ts';
import type { Retention } from './retention.ts';
import { type AgentEntry, StoredAgent } from './stored-agent.ts';

/** Reads what LMDB has of agents. */
export class AgentReader {
  readonly #connection: LmdbConnection;
  readonly #retention: Retention;

  constructor(connection: LmdbConnection, retention: Retention) {
    this.#connection = connection;
    this.#retention = retention;
  }

  async load(agentId: string): Promise<StoredPlan | undefined> {
    const agent = await this.#agent(agentId);
    const json = agent.planJson;
    if (json === undefined) return undefined;
    return { plan: parsePlan(json, this.#connection.labelOf(agentId)), revision: agent.revision };
  }

  async agents(): Promise<readonly string[]> {
    const environment = await this.#connection.open();
    const known: string[] = [];
    for (const { key, value } of environment.agents.getRange()) {
      const { hasContent } = new StoredAgent(environment, key, this.#retention);
      if (hasContent) known.push((JSON.parse(value) as AgentEntry).agentId);
    }
    return known.sort(compareUtf8);
  }

  async runs(agentId: string, limit = Number.POSITIVE_INFINITY): Promise<readonly RunRecord[]> {
    const agent = await this.#agent(agentId);
    const newestFirst: RunRecord[] = [];
    if (limit <= 0) return newestFirst;
    for (const json of agent.newestRuns()) {
      newestFirst.push(parseRunRecord(JSON.parse(json)));
      if (newestFirst.length >= limit) break;
    }
    return newestFirst.reverse();
  }

  async support(agentId: string): Promise<readonly GroupSupport[]> {
    const { evidence } = await this.#agent(agentId);
    return supportOf(evidence.values());
  }

  async #agent(agentId: string): Promise<StoredAgent> {
    return new StoredAgent(await this.#connection.open(), keyOf(agentId), this.#retention);
  }
}
