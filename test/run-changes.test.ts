import { describe, expect, it } from 'vitest';
import { ToolParallelismLearner } from '../src/learner/tool-parallelism-learner.ts';
import { endOf, runChangesOf } from '../src/run-changes.ts';
import type { MadeRuns, ReleasedTrace } from '../src/trace/trace-buffer.ts';
import { assembled } from './support/assembled.ts';
import { runRecordOf } from './support/calls.ts';
import { agent, at, recordOf, type SpanSpec, tool, traceIdOf, workflow } from './support/spans.ts';

/** The trace of `specs` as it is released; `fresh` are the newest of them. */
function released(
  specs: readonly SpanSpec[],
  made: MadeRuns,
  { revision = 1, fresh = specs.length, maxGroups = 512 } = {},
) {
  const runs = assembled(specs);
  const spans = specs.map(recordOf);
  const members = new Map(runs.flatMap((run) => run.members).map((span) => [span.spanId, span]));
  const known = spans.map((span) => members.get(span.spanId) ?? span);
  const trace: ReleasedTrace = {
    traceId: traceIdOf('t'),
    segment: 1,
    revision,
    reason: 'flush',
    missingParent: 'shared',
    mayHoldRuns: true,
    context: [],
    spanCount: known.length,
    freshCount: fresh,
    spans: known,
    fresh: known.slice(known.length - fresh),
    made,
  };
  const lesson = runChangesOf(trace, sharing(runs, members), new ToolParallelismLearner({ maxGroups }));
  return {
    ...lesson,
    writes: lesson.writes.map(({ agentId, change, spans }) => [agentId, change.run !== undefined, spans]),
  };
}

type Runs = ReturnType<typeof assembled>;

/** The runs with one object for each span, as those of a buffer have. */
function sharing(runs: Runs, members: ReadonlyMap<string, ReturnType<typeof recordOf>>): Runs {
  return runs.map(({ run, members: own }) => ({
    run,
    members: own.map((span) => members.get(span.spanId) ?? span),
  }));
}

const root = agent('root', { name: 'planner' });
const search = tool('search', { parent: 'root' });

describe('what a released trace means', () => {
  it('is a write for a run that is new, and nothing for one that came out as before', () => {
    const made: MadeRuns = { runs: [] };
    expect(released([root, search], made)).toMatchObject({ writes: [['planner', true, 2]], ignoredSpans: 0 });
    const again = released([search, root], made, { revision: 2, fresh: 1 });
    expect(again).toMatchObject({ writes: [], unchangedSpans: 1, ignoredSpans: 0 });
  });

  it('withdraws a run that is no more, once', () => {
    const made: MadeRuns = { runs: [] };
    released([search], made);
    expect(
      released([agent('root', { name: 'writer' }), search], made, { revision: 2, fresh: 1 }).writes,
    ).toEqual([
      ['writer', true, 1],
      ['service', false, 0],
    ]);
    expect(
      released([agent('root', { name: 'writer' }), search], made, { revision: 3, fresh: 0 }).writes,
    ).toEqual([]);
    released([root], made, { revision: 4, fresh: 0 });
    expect(made.runs).toEqual([]);
  });

  it('counts a span once that is part of two runs', () => {
    const flat = { parent: 'flow', isFlat: true } as const;
    const specs = [
      workflow('flow'),
      tool('a', { ...flat, stampedAgent: 'one' }),
      tool('b', { ...flat, stampedAgent: 'two' }),
    ];
    const { writes, ignoredSpans } = released(specs, { runs: [] });
    expect(writes.map(([, , spans]) => spans)).toEqual([2, 1]);
    expect(ignoredSpans).toBe(0);
    expect(released(specs, { runs: [] }, { fresh: 2 }).writes.map(([, , spans]) => spans)).toEqual([1, 1]);
  });

  it('tells how many cohorts were left out', () => {
    const tools = ['a', 'b', 'c', 'd'].map((id, n) =>
      tool(id, { parent: 'root', from: 10 * n, to: 10 * n + 15 }),
    );
    expect(released([root, ...tools], { runs: [] }, { maxGroups: 1 })).toMatchObject({ cohortsDropped: 0 });
    const many = Array.from({ length: 4_100 }, (_, n) =>
      tool(`t${n}`, { parent: 'root', from: 10 * n, to: 10 * n + 15 }),
    );
    expect(released([root, ...many], { runs: [] }, { maxGroups: 1 }).cohortsDropped).toBe(3);
  });
});

describe('the end of a run', () => {
  const calls = [
    { name: 'a', from: 5, to: 90 },
    { name: 'b', from: 7, to: 20 },
  ];

  it('is its own, else the latest that its calls show', () => {
    expect(endOf(runRecordOf(calls, { endedAt: at(50) }))).toEqual(at(50));
    expect(endOf(runRecordOf(calls))).toEqual(at(90));
    expect(endOf(runRecordOf([{ name: 'a', from: 5 }]))).toEqual(at(5));
    expect(endOf(runRecordOf([]))).toEqual(at(0));
  });
});
