import { expect, it } from 'vitest';
import { ToolParallelismLearner } from '../../src/learner/tool-parallelism-learner.ts';
import { MemoryPlanStore } from '../../src/store/memory-plan-store.ts';
import { runRecordOf } from '../support/calls.ts';
import { at } from '../support/spans.ts';

it('a run of 20,000 calls in thousands of groups is merged without holding up its host', async () => {
  const run = runRecordOf(
    Array.from({ length: 20_000 }, (_, n) => ({ name: `t${n}`, from: n, to: n + 20.5 })),
  );
  const { cohorts, dropped } = new ToolParallelismLearner().learn(run);
  expect(cohorts.length).toBeGreaterThan(1_000);
  expect(dropped).toBeGreaterThan(1_000);
  const store = new MemoryPlanStore();
  const outcome = await store.apply('planner', [{ runId: 'r', revision: 1, run, endedAt: at(0), cohorts }]);
  const groups = (await store.load('planner'))?.plan.parallel_groups ?? [];
  expect(groups.length).toBeGreaterThan(0);
  expect(groups.length).toBeLessThanOrEqual(512);
  expect(outcome.groupsEvicted).toBeGreaterThan(0);
});
