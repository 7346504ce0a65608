import type { AgentSnapshot } from './agent-snapshot.ts';

/** Snapshots of the agents written last, so that a write takes one round trip. Bounded by agents and groups. */
export class SnapshotCache {
  readonly #kept = new Map<string, { readonly snapshot: AgentSnapshot; readonly groups: number }>();
  #groups = 0;

  get(agentId: string): AgentSnapshot | undefined {
    return this.#kept.get(agentId)?.snapshot;
  }

  set(agentId: string, snapshot: AgentSnapshot): void {
    this.delete(agentId);
    const groups = groupsOf(snapshot);
    this.#kept.set(agentId, { snapshot, groups });
    this.#groups += groups;
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= MAX_AGENTS && this.#groups <= MAX_GROUPS) return;
      if (oldest === agentId) return;
      this.delete(oldest);
    }
  }

  delete(agentId: string): void {
    const known = this.#kept.get(agentId);
    if (known === undefined) return;
    this.#kept.delete(agentId);
    this.#groups -= known.groups;
  }
}

const MAX_AGENTS = 1_000;
/** Each takes about a kilobyte, with its hints and evidence. */
const MAX_GROUPS = 20_000;

function groupsOf({ state }: AgentSnapshot): number {
  return state.evidence.size + (state.plan?.parallel_groups.length ?? 0);
}
