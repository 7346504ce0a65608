import { ToolParallelismLearner } from 'spanplan';
import type { CallRecord, RunRecord } from '../src/model/run-record.ts';
import type { Benchmark, Sides } from './harness.ts';

/** The cohorts of runs of kinds that were seen before, beside what no way to find them can do without. */
export const sweepBenchmarks: readonly Benchmark[] = [
  {
    name: 'sweep',
    rival: 'bare sort and sweep',
    atLeast: 0.65,
    stretch: 0.9,
    prepare: async () => sidesFor([10, 100, 1_000, 10_000]),
  },
];

/** So many calls a turn in runs of each size. */
const CALLS = 200_000;

function sidesFor(sizes: readonly number[]): Sides {
  const runs = sizes.map(runOf);
  const learner = new ToolParallelismLearner();
  const each = async (widestOf: (run: RunRecord) => number) => {
    const widest = runs.map((run) => {
      let sum = 0;
      for (let times = CALLS / run.calls.length; times > 0; times--) sum += widestOf(run);
      return sum;
    });
    return { did: widest };
  };
  return {
    ours: () =>
      each((run) => {
        let widest = 1;
        for (const { names } of learner.learn(run).cohorts) if (names.length > widest) widest = names.length;
        return widest;
      }),
    rival: () => each(widestBySweep),
  };
}

/** Calls sorted by start and by end, and one walk that only counts. */
function widestBySweep({ calls }: RunRecord): number {
  const byStart = [...calls].sort((a, b) => compare(a.startedAt, b.startedAt));
  const byEnd = [...calls].sort((a, b) => compare(a.endedAt, b.endedAt));
  let ended = 0;
  let widest = 0;
  for (let started = 0; started < byStart.length; started++) {
    while (compare(byEnd[ended]?.endedAt, byStart[started]?.startedAt) <= 0) ended++;
    if (started + 1 - ended > widest) widest = started + 1 - ended;
  }
  return widest;
}

type Moment = CallRecord['endedAt'];

function compare(a: Moment, b: Moment): number {
  if (a === undefined || b === undefined) return 0;
  return a[0] - b[0] || a[1] - b[1];
}

/** An agent that asks for up to six of twelve tools at a time and waits for the slowest. */
function runOf(size: number): RunRecord {
  const calls: CallRecord[] = [];
  let at = 0;
  for (let message = 0; calls.length < size; message++) {
    const together = Math.min(1 + ((message * 5) % 6), size - calls.length);
    for (let call = 0; call < together; call++) {
      const name = `tool_${(message * 7 + call) % 12}`;
      const length = 20 + ((message * 31 + call * 17) % 60);
      calls.push({ kind: 'tool', name, startedAt: timeOf(at + call), endedAt: timeOf(at + call + length) });
    }
    at += 100;
  }
  return { id: `run-${size}`, agentId: 'planner', startedAt: timeOf(0), endedAt: timeOf(at), calls };
}

function timeOf(millis: number): [number, number] {
  return [1_700_000_000 + Math.floor(millis / 1_000), (millis % 1_000) * 1e6];
}
