import type { ExecutionPlan } from '../../model/execution-plan.ts';
import { MultisetIndex } from '../../model/multiset-index.ts';

/** The plan without the groups that another one contains, and their hints: all that they say the others say too. */
export function maximalPlan(plan: ExecutionPlan): ExecutionPlan {
  const index = new MultisetIndex();
  for (const { tool_names } of plan.parallel_groups) index.add(tool_names);
  const parallel_groups = plan.parallel_groups.filter(({ tool_names }) => !index.holds(tool_names));
  const kept = new Set(parallel_groups.map(({ group_id }) => group_id));
  const { metadata_template } = plan;
  return {
    ...plan,
    parallel_groups,
    metadata_template: {
      ...metadata_template,
      parallel_hints: metadata_template.parallel_hints.filter(({ group_id }) => kept.has(group_id)),
    },
  };
}
