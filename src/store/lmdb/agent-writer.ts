import { outcomeOf } from '../apply-outcome.ts';
import { applyRuns } from '../apply-runs.ts';
import type { ApplyOutcome, RunChange } from '../plan-store.ts';
import { AgentAdmission } from './agent-admission.ts';
import type { ChangeWatch } from './change-watch.ts';
import type { LmdbConnection } from './lmdb-connection.ts';
import { keyOf } from './lmdb-environment.ts';
import type { Retention } from './retention.ts';
import { StoredAgent } from './stored-agent.ts';

/** Changes what LMDB has of an agent, in one write transaction each, and tells of it. */
export class AgentWriter {
  readonly #connection: LmdbConnection;
  readonly #retention: Retention;
  readonly #admission: AgentAdmission;
  readonly #watch: ChangeWatch;

  constructor(connection: LmdbConnection, retention: Retention, watch: ChangeWatch) {
    this.#connection = connection;
    this.#retention = retention;
    this.#admission = new AgentAdmission(retention);
    this.#watch = watch;
  }

  async apply(agentId: string, changes: readonly RunChange[]): Promise<ApplyOutcome> {
    const { next, isChanged } = await this.#connection.transaction((environment) => {
      const agent = new StoredAgent(environment, keyOf(agentId), this.#retention);
      agent.trimHistory();
      const before = agent.readState(this.#connection.labelOf(agentId));
      const next = applyRuns(agentId, before, agent.readHistory(), changes, this.#retention.limits);
      const { revision } = next.state;
      const isChanged = revision !== before.revision;
      if (next.applied.length > 0) {
        this.#admission.admit(environment, agent.key);
        agent.write(agentId, before, next);
        if (isChanged) this.#watch.record(environment, agent.key, { agentId, revision });
      }
      return { next, isChanged };
    });
    if (isChanged) this.#watch.tell({ agentId, revision: next.state.revision });
    return outcomeOf(next);
  }

  async forget(agentId: string): Promise<boolean> {
    const change = { agentId, revision: undefined };
    const found = await this.#connection.transaction((environment) => {
      const agent = new StoredAgent(environment, keyOf(agentId), this.#retention);
      if (!agent.isKnown) return false;
      agent.remove();
      this.#watch.record(environment, agent.key, change);
      return true;
    });
    if (found) this.#watch.tell(change);
    return found;
  }
}
