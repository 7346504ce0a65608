import type { ExecutionPlan } from '../../src/model/execution-plan.ts';
import type { PlanStore } from '../../src/store/plan-store.ts';

/** All plans of a store, by agent; an agent without groups has none. */
export async function plansOf(store: PlanStore): Promise<Readonly<Record<string, ExecutionPlan>>> {
  const plans: Record<string, ExecutionPlan> = {};
  for (const agentId of await store.agents()) {
    const stored = await store.load(agentId);
    if (stored !== undefined) plans[agentId] = stored.plan;
  }
  return plans;
}

/** The groups of a plan that no other group contains (as multisets), in a fixed order; what a recording is judged by. */
export function maximalGroups(
  plans: Readonly<Record<string, ExecutionPlan>>,
): readonly (readonly string[])[] {
  return sortedGroups(
    Object.values(plans).flatMap((plan) => {
      const groups = plan.parallel_groups.map((group) => group.tool_names);
      return groups.filter(
        (names) => !groups.some((other) => other.length > names.length && lies(names, other)),
      );
    }),
  );
}

/** Groups as they compare: names sorted, groups sorted. */
export function sortedGroups(groups: readonly (readonly string[])[]): readonly (readonly string[])[] {
  return groups.map((names) => [...names].sort()).sort((a, b) => (a.join('|') < b.join('|') ? -1 : 1));
}

function lies(names: readonly string[], other: readonly string[]): boolean {
  const left = [...other];
  return names.every((name) => {
    const at = left.indexOf(name);
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  });
}
