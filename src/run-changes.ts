import type { Learner } from './learner/learner.ts';
import { fingerprintOf } from './model/run-fingerprint.ts';
import type { RunRecord } from './model/run-record.ts';

import { laterTime, type Time } from './model/time.ts';
import type { RunChange } from './store/plan-store.ts';
import type { AssembledRun } from './trace/assemble-runs.ts';
import type { SpanRecord } from './trace/span-record.ts';
import type { MadeRun, ReleasedTrace } from './trace/trace-buffer.ts';

/** What a released trace means for the store, and for the account of its spans. */
export interface TraceLesson {
  readonly writes: readonly AgentWrite[];
  /** New spans of runs that came out as they were before. */
  readonly unchangedSpans: number;
  /** New spans that are no part of any run. */
  readonly ignoredSpans: number;
  readonly cohortsDropped: number;
}

/** What is to be written of one run. */
export interface AgentWrite {
  readonly agentId: string;
  readonly change: RunChange;
  /** New spans that this write stands for. */
  readonly spans: number;
  /** Whether nothing was made of the run before. */
  readonly isNew: boolean;
}

/**
 * Compares the runs of a trace with what was made of it before: new and changed runs are to be written under the
 * trace's revision, runs that are no more (or are another agent's now) are withdrawn, the same ones left alone.
 * Notes the runs in `trace.made`.
 */
export function runChangesOf(
  trace: ReleasedTrace,
  runs: readonly AssembledRun[],
  learner: Learner,
): TraceLesson {
  const { made, revision } = trace;
  const countFresh = freshCounter(trace, runs);
  let ignoredSpans = trace.freshCount;
  const writes: AgentWrite[] = [];
  let unchangedSpans = 0;
  let cohortsDropped = 0;
  // Nearly always a trace is released once.
  const before =
    made.runs.length === 0 ? NONE : new Map(made.runs.map((madeRun) => [madeRun.runId, madeRun]));
  const now: MadeRun[] = [];
  for (const { run, members } of runs) {
    const spans = countFresh(members);
    ignoredSpans -= spans;
    const known = before.get(run.id);
    const fingerprint = fingerprintOf(run);
    now.push({ runId: run.id, agentId: run.agentId, fingerprint });
    if (known?.agentId === run.agentId) before.delete(run.id);
    if (known?.agentId === run.agentId && known.fingerprint === fingerprint) {
      unchangedSpans += spans;
      continue;
    }
    const lesson = learner.learn(run);
    cohortsDropped += lesson.dropped;
    const change = { runId: run.id, revision, run, endedAt: endOf(run), cohorts: lesson.cohorts };
    writes.push({ agentId: run.agentId, change, spans, isNew: known === undefined });
  }
  for (const [runId, { agentId }] of before) {
    const change = { runId, revision, run: undefined, endedAt: NEVER, cohorts: [] };
    writes.push({ agentId, change, spans: 0, isNew: false });
  }
  // Only here: what is told to the store and what is remembered of it must agree, even where a learner throws.
  // A list that was pushed to has room for more.
  made.runs = now.slice();
  return { writes, unchangedSpans, ignoredSpans, cohortsDropped };
}

/** Counts, of the members of one run after another, the spans that are new and were counted for no other run. */
function freshCounter(
  trace: ReleasedTrace,
  runs: readonly AssembledRun[],
): (members: readonly SpanRecord[]) => number {
  // Mostly a trace is released once, and is one run.
  if (runs.length === 1 && trace.freshCount === trace.spanCount) return (members) => members.length;
  const fresh = new Set<SpanRecord>(trace.fresh);
  return (members) => members.reduce((count, member) => count + Number(fresh.delete(member)), 0);
}

const NONE: Map<string, MadeRun> = new Map();

/** The time of a withdrawn run; it contributes nothing, so it is never compared. */
const NEVER: Time = [0, 0];

/** When a run ended, or as far as it is known. */
export function endOf(run: RunRecord): Time {
  if (run.endedAt !== undefined) return run.endedAt;
  return run.calls.reduce((end, call) => laterTime(end, call.endedAt ?? call.startedAt), run.startedAt);
}
