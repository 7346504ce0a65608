import { ToolParallelismLearner } from '../../src/learner/tool-parallelism-learner.ts';
import type { RunRecord } from '../../src/model/run-record.ts';
import {
  type AssembledRun,
  type AssembleOptions,
  assembleRuns,
  DEFAULT_ASSEMBLE_OPTIONS,
  type TraceSpans,
} from '../../src/trace/assemble-runs.ts';
import { recordOf, type SpanSpec, traceIdOf } from './spans.ts';

/** Assembles one trace of these spans, as it comes over the wire unless told otherwise. */
export function assembled(
  specs: readonly SpanSpec[],
  options: Partial<AssembleOptions> = {},
  trace: Partial<Omit<TraceSpans, 'context'>> & { readonly context?: readonly SpanSpec[] } = {},
): readonly AssembledRun[] {
  const { context = [], ...rest } = trace;
  return assembleRuns(
    {
      traceId: traceIdOf('t'),
      segment: 1,
      spans: specs.map(recordOf),
      context: context.map(recordOf),
      missingParent: 'shared',
      ...rest,
    },
    { ...DEFAULT_ASSEMBLE_OPTIONS, ...options },
  );
}

export function runsOf(...given: Parameters<typeof assembled>): readonly RunRecord[] {
  return assembled(...given).map(({ run }) => run);
}

/** Agents with the names of the calls of their runs, each run a list. */
export function callsByAgent(...given: Parameters<typeof assembled>): Readonly<Record<string, string[][]>> {
  const agents: Record<string, string[][]> = {};
  for (const { agentId, calls } of runsOf(...given)) {
    const runs = agents[agentId] ?? [];
    agents[agentId] = [...runs, calls.map(({ name }) => name)];
  }
  return agents;
}

/** All cohorts that are learned from the runs, whatever the agent. */
export function cohortsOf(...given: Parameters<typeof assembled>): readonly (readonly string[])[] {
  const learner = new ToolParallelismLearner();
  return runsOf(...given).flatMap((run) => learner.learn(run).cohorts.map(({ names }) => names));
}
