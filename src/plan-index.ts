import type { ExecutionPlan, ParallelGroup } from './model/execution-plan.ts';

/** Answers questions about one plan without walking all of its groups. */
export class PlanIndex {
  readonly plan: ExecutionPlan;
  readonly #byTool = new Map<string, IndexedGroup[]>();

  constructor(plan: ExecutionPlan) {
    this.plan = plan;
    for (const group of plan.parallel_groups) {
      const counts = countsOf(group.tool_names);
      for (const tool of counts.keys()) {
        const groups = this.#byTool.get(tool);
        if (groups === undefined) this.#byTool.set(tool, [{ group, counts }]);
        else groups.push({ group, counts });
      }
    }
  }

  groupsFor(toolName: string): readonly ParallelGroup[] {
    return (this.#byTool.get(toolName) ?? []).map(({ group }) => group);
  }

  /** Whether the names, as a multiset, lie inside one group. No names lie inside any. */
  canRunTogether(toolNames: readonly string[]): boolean {
    const [first] = toolNames;
    if (first === undefined) return true;
    const wanted = [...countsOf(toolNames)];
    return (this.#byTool.get(first) ?? []).some(({ counts }) =>
      wanted.every(([name, count]) => (counts.get(name) ?? 0) >= count),
    );
  }

  /** Cuts calls into batches, in their order: a call joins the current batch only if all of it can run together. */
  partition<Call>(calls: readonly Call[], nameOf: (call: Call) => string): readonly (readonly Call[])[] {
    const batches: Call[][] = [];
    let batch: Call[] = [];
    let counts = new Map<string, number>();
    let candidates: readonly IndexedGroup[] = [];
    for (const call of calls) {
      const name = nameOf(call);
      const count = (counts.get(name) ?? 0) + 1;
      const fitting = candidates.filter((group) => (group.counts.get(name) ?? 0) >= count);
      if (fitting.length > 0) {
        batch.push(call);
        counts.set(name, count);
        candidates = fitting;
        continue;
      }
      batch = [call];
      batches.push(batch);
      counts = new Map([[name, 1]]);
      candidates = this.#byTool.get(name) ?? [];
    }
    return batches;
  }
}

interface IndexedGroup {
  readonly group: ParallelGroup;
  readonly counts: ReadonlyMap<string, number>;
}

function countsOf(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
