import { describe, expect, it } from 'vitest';
import type { ExecutionPlan } from '../src/model/execution-plan.ts';
import { PlanIndex } from '../src/plan-index.ts';

function planOf(groups: readonly (readonly string[])[]): ExecutionPlan {
  return {
    agent_id: 'planner',
    parallel_groups: groups.map((tool_names, n) => ({ group_id: `g${n}`, tool_names })),
    metadata_template: { run_id: 'run', agent_id: 'planner', parallel_hints: [], extensions: {} },
  };
}

describe('the index of a plan of many groups', () => {
  const COUNT = 100;
  const index = new PlanIndex(
    planOf(
      Array.from({ length: COUNT }, (_, n) => [`a${n}`, `b${n}`, 'common', ...(n === 70 ? ['more'] : [])]),
    ),
  );

  it('holds tools together that share a group, and no others', () => {
    for (let n = 0; n < COUNT; n++) {
      for (let m = 0; m < COUNT; m++) expect(index.canRunTogether([`a${n}`, `b${m}`])).toBe(n === m);
    }
  });

  it('finds the one group that several tools have in common', () => {
    expect(index.canRunTogether(['common', 'more', 'a70', 'b70'])).toBe(true);
    expect(index.canRunTogether(['common', 'more', 'a69'])).toBe(false);
    expect(index.partition(['common', 'a40', 'b70', 'b40'], (name) => name)).toEqual([
      ['common', 'a40'],
      ['b70'],
      ['b40'],
    ]);
  });

  it("gives out lists that are the caller's own", () => {
    (index.groupsFor('more') as unknown[]).length = 0;
    expect(index.groupsFor('more').map(({ group_id }) => group_id)).toEqual(['g70']);
  });
});
