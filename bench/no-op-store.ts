import type { ApplyOutcome, PlanStore, RunChange } from '../src/store/plan-store.ts';

/** Takes everything and keeps nothing: what an exporter that does nothing is to a rival. */
export class NoOpStore implements PlanStore {
  async apply(_agentId: string, changes: readonly RunChange[]): Promise<ApplyOutcome> {
    return {
      applied: changes.length,
      duplicates: 0,
      duplicateRunIds: [],
      groupsAdded: 0,
      groupsRemoved: 0,
      groupsCompacted: 0,
      groupsEvicted: 0,
      revision: 0,
      conflicts: 0,
    };
  }

  load = async () => undefined;
  agents = async () => [];
  runs = async () => [];
  support = async () => [];
  forget = async () => false;
  subscribe = () => () => {};
  close = async () => {};
}
