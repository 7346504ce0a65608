import { expect, test } from 'vitest';
import type { ExecutionPlan } from '../../src/model/execution-plan.ts';
import { partitionWithReasons } from '../../src/sidecar/plan-api/plan-api-partition.ts';

/** A plan of groups that are named for what they hold. */
function planOf(...groups: readonly (readonly string[])[]): ExecutionPlan {
  const parallel_groups = groups.map((tool_names) => ({ group_id: tool_names.join('+'), tool_names }));
  const parallel_hints = parallel_groups.flatMap(({ group_id, tool_names }) =>
    [...new Set(tool_names)].map((tool_name) => ({ tool_name, group_id, explicit: false })),
  );
  return {
    agent_id: 'a',
    parallel_groups,
    metadata_template: { run_id: 'r', agent_id: 'a', parallel_hints, extensions: {} },
  };
}

test('the reason names a group that has all of the calls, each as often', () => {
  const plan = planOf(['fetch', 'search'], ['fetch', 'fetch']);
  const { batches } = partitionWithReasons('a', plan, ['fetch', 'fetch', 'search']);
  expect(batches.map(({ calls, reason }) => [calls.map(({ name }) => name), reason])).toEqual([
    [['fetch', 'fetch'], expect.objectContaining({ code: 'seen_together', group_id: 'fetch+fetch' })],
    [['search'], expect.objectContaining({ code: 'not_seen_together' })],
  ]);
});
