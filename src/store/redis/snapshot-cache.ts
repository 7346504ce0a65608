import type { AgentSnapshot } from './agent-snapshot.ts';

/** Snapshots of the agents written last, so that a write takes one round trip. Bounded by agents and groups. */
export class SnapshotCache {
  readonly #snapshots = new Map<string, AgentSnapshot>();
  #groups = 0;

  get(agentId: string): AgentSnapshot | undefined {
    return this.#snapshots.get(agentId);
  }

  set(agentId: string, snapshot: AgentSnapshot): void {
    this.delete(agentId);
    this.#snapshots.set(agentId, snapshot);
    this.#groups += groupsOf(snapshot);
    for (const oldest of this.#snapshots.keys()) {
      if (this.#snapshots.size <= MAX_AGENTS && this.#groups <= MAX_GROUPS) return;
      this.delete(oldest);
    }
  }

  delete(agentId: string): void {
    const snapshot = this.#snapshots.get(agentId);
    if (snapshot === undefined) return;
    this.#snapshots.delete(agentId);
    this.#groups -= groupsOf(snapshot);
  }
}

const MAX_AGENTS = 1_000;
/** Each takes about a kilobyte, with its hints and evidence. */
const MAX_GROUPS = 20_000;

function groupsOf({ state }: AgentSnapshot): number {
  return state.evidence.size + (state.plan?.parallel_groups.length ?? 0);
}
