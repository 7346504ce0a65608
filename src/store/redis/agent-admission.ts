import { StoreError } from '../plan-store.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisConnection } from './redis-connection.ts';

/**
 * Keeps the number of agents in bounds. The set of agents is another key than an agent's own, so it cannot be
 * checked in the same script: writers that add agents at the same time may pass the bound by a few.
 */
export class AgentAdmission {
  readonly #connection: RedisConnection;
  readonly #keys: RedisKeys;
  readonly #maxAgents: number;
  readonly #admitted = new Set<string>();
  #sweptAt = Number.NEGATIVE_INFINITY;

  constructor(connection: RedisConnection, keys: RedisKeys, maxAgents: number) {
    this.#connection = connection;
    this.#keys = keys;
    this.#maxAgents = maxAgents;
  }

  /** @throws StoreError `agent_limit` where this would be one too many. */
  async admit(agentId: string): Promise<void> {
    if (this.#admitted.has(agentId)) return;
    const { agents } = this.#keys;
    const [isMember, count] = await Promise.all([
      this.#connection.command('sismember', [agents, agentId]),
      this.#connection.command('scard', [agents]),
    ]);
    if (isMember !== 1) {
      if (Number(count) >= this.#maxAgents && !(await this.#sweep())) {
        throw new StoreError(
          'agent_limit',
          `${this.#connection.label} has ${this.#maxAgents} agents already, its bound (maxAgents).`,
        );
      }
      await this.#connection.command('sadd', [agents, agentId]);
    }
    this.#admitted.add(agentId);
  }

  async dismiss(agentId: string): Promise<void> {
    this.#admitted.delete(agentId);
    await this.#connection.command('srem', [this.#keys.agents, agentId]);
  }

  /**
   * Takes out agents of which nothing is left.
   * @returns whether there is room now.
   */
  async #sweep(): Promise<boolean> {
    if (performance.now() - this.#sweptAt < SWEEP_MILLIS) return false;
    this.#sweptAt = performance.now();
    const { agents } = this.#keys;
    const members = listOf(await this.#connection.command('smembers', [agents]));
    let left = members.length;
    for (let i = 0; i < members.length; i += SWEEP_BATCH) {
      await Promise.all(
        members.slice(i, i + SWEEP_BATCH).map(async (agentId) => {
          const { plan, runsIndex, applied } = this.#keys.of(agentId);
          if ((await this.#connection.command('exists', [plan, runsIndex, applied])) !== 0) return;
          await this.#connection.command('srem', [agents, agentId]);
          this.#admitted.delete(agentId);
          left--;
        }),
      );
    }
    return left < this.#maxAgents;
  }
}

/** So that a store that is full is not searched with every run. */
const SWEEP_MILLIS = 60_000;
const SWEEP_BATCH = 500;

/** A set comes as an array or, where the client maps RESP3, as a Set. */
function listOf(reply: unknown): readonly string[] {
  return [...(reply as Iterable<string>)];
}
