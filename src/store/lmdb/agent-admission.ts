import { StoreError } from '../plan-store.ts';
import type { LmdbEnvironment } from './lmdb-environment.ts';
import type { Retention } from './retention.ts';
import { StoredAgent } from './stored-agent.ts';

/** Keeps the number of agents in bounds. To be used inside a write transaction only. */
export class AgentAdmission {
  readonly #retention: Retention;

  constructor(retention: Retention) {
    this.#retention = retention;
  }

  /** @throws StoreError `agent_limit` where this would be one too many. */
  admit(environment: LmdbEnvironment, agent: string): void {
    const { agents } = environment;
    const { maxAgents } = this.#retention.limits;
    if (agents.doesExist(agent) || agents.getKeysCount() < maxAgents) return;
    this.#sweep(environment);
    if (agents.getKeysCount() < maxAgents) return;
    throw new StoreError('agent_limit', `The store has ${maxAgents} agents already, its bound (maxAgents).`);
  }

  /** Takes out agents of which nothing is left. */
  #sweep(environment: LmdbEnvironment): void {
    const all = [...environment.agents.getKeys()].map(
      (key) => new StoredAgent(environment, key, this.#retention),
    );
    const empty = all.filter((agent) => {
      agent.trimHistory();
      return !agent.hasHistory && !agent.hasContent;
    });
    for (const agent of empty) agent.remove();
  }
}
