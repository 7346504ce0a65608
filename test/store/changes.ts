import { ToolParallelismLearner } from '../../src/learner/tool-parallelism-learner.ts';
import { cohortOf } from '../../src/model/cohort.ts';
import type { CallRecord, RunRecord } from '../../src/model/run-record.ts';
import type { RunChange } from '../../src/store/plan-store.ts';
import { timeFromMillis } from '../support/times.ts';

/** A change that contributes the given sets of tools, at `at` seconds on a clock of the tests. */
export function change(
  runId: string,
  groups: readonly (readonly string[])[],
  { revision = 1, at = 0, agentId = 'planner' }: { revision?: number; at?: number; agentId?: string } = {},
): RunChange {
  const endedAt = timeFromMillis(1_700_000_000_000 + at * 1_000);
  const calls: CallRecord[] = groups
    .flat()
    .map((name) => ({ kind: 'tool', name, startedAt: endedAt, endedAt }));
  const run: RunRecord = { id: runId, agentId, startedAt: endedAt, endedAt, calls };
  return { runId, revision, run, endedAt, cohorts: groups.map(cohortOf) };
}

/** A change that takes a run back. */
export function withdrawal(runId: string, revision: number): RunChange {
  return { runId, revision, run: undefined, endedAt: timeFromMillis(1_700_000_000_000), cohorts: [] };
}

/** The change that a RunRecord makes once it is learned. */
export function learned(run: RunRecord, revision = 1): RunChange {
  const { cohorts } = new ToolParallelismLearner().learn(run);
  return { runId: run.id, revision, run, endedAt: run.endedAt ?? run.startedAt, cohorts };
}
