import { formatRunRecord } from '../../src/model/run-record-json.ts';
import { MemoryPlanStore } from '../../src/store/memory-plan-store.ts';
import type { PlanStore } from '../../src/store/plan-store.ts';

/** Everything a store says, without what may differ by the order of arrival (revisions, order of the records). */
export async function learnedOf(store: PlanStore): Promise<unknown> {
  const agents: Record<string, unknown> = {};
  for (const agentId of await store.agents()) {
    const runs = (await store.runs(agentId)).map(formatRunRecord);
    agents[agentId] = {
      plan: (await store.load(agentId))?.plan,
      runs: runs.sort((a, b) => (String(a.id) < String(b.id) ? -1 : 1)),
      support: await store.support(agentId),
    };
  }
  return agents;
}

export function roomyStore(): MemoryPlanStore {
  return new MemoryPlanStore({ maxRunsPerAgent: 10_000 });
}
