import type { ExecutionPlan } from '../../src/model/execution-plan.ts';

/** The groups of a plan, each as the names of its tools. */
export function groupNames(plan: ExecutionPlan | undefined): readonly string[] | undefined {
  return plan?.parallel_groups.map((group) => group.tool_names.join('+')).sort();
}
