import { MemoryPlanStore, PlanReader } from 'spanplan';
import { cohortOf } from '../src/model/cohort.ts';
import type { Benchmark, Sides } from './harness.ts';

/** What a plan costs where it is asked for: before each round of tool calls of an agent. */
export const readBenchmarks: readonly Benchmark[] = [
  { name: 'read-get', rival: 'bare Map.get', atLeast: 0.2, stretch: 0.5, prepare: getSides },
  {
    name: 'read-partition',
    rival: 'pairwise set look-ups',
    atLeast: 1,
    stretch: 2,
    prepare: partitionSides,
  },
];

const TIMES = 300_000;
const AGENTS = 100;
const TOOLS = 40;
const GROUPS = 500;

async function getSides(): Promise<Sides> {
  const reader = await readerOf(
    Array.from({ length: AGENTS }, (_, index) => `agent-${index}`),
    3,
  );
  const agents = await reader.agents();
  const plans = new Map<string, unknown>();
  for (const agent of agents) plans.set(agent, await reader.get(agent));
  const each = async (get: (agentId: string) => unknown) => {
    let last: unknown;
    for (let i = 0; i < TIMES; i++) last = get(agents[i % AGENTS] ?? '');
    return { did: await last };
  };
  return {
    ours: () => each((agentId) => reader.get(agentId)),
    rival: () => each((agentId) => plans.get(agentId)),
    close: () => reader.close(),
  };
}

async function partitionSides(): Promise<Sides> {
  const reader = await readerOf(['planner'], GROUPS);
  const plan = await reader.get('planner');
  const together = new Map<string, Set<string>>();
  for (const { tool_names: names } of plan?.parallel_groups ?? []) {
    for (const name of names) {
      const others = together.get(name) ?? new Set();
      together.set(name, others);
      for (const other of names) if (other !== name) others.add(other);
    }
  }
  /** Calls that a model asks for in one message; in two halves of which each may run at once. */
  const calls = Array.from({ length: 16 }, (_, index) => toolName(index < 8 ? index : index + 12));
  const times = TIMES / 30;
  const each = async (partition: () => unknown) => {
    let last: unknown;
    for (let i = 0; i < times; i++) last = await partition();
    return { did: last };
  };
  return {
    ours: () => each(() => reader.partition('planner', calls)),
    rival: () => each(async () => pairwise(calls, together)),
    close: () => reader.close(),
  };
}

/** A call joins the batch where it was seen together with each one in it: less than a plan says, and what comes first to mind. */
function pairwise(calls: readonly string[], together: ReadonlyMap<string, ReadonlySet<string>>) {
  const batches: string[][] = [];
  let batch: string[] = [];
  for (const call of calls) {
    const others = together.get(call);
    if (batch.length > 0 && others !== undefined && batch.every((other) => others.has(other))) {
      batch.push(call);
    } else {
      batch = [call];
      batches.push(batch);
    }
  }
  return batches;
}

/** Plans of so many groups, of the first eight tools, the eight from the twentieth on, and pairs of the rest. */
async function readerOf(agentIds: readonly string[], groups: number): Promise<PlanReader> {
  const store = new MemoryPlanStore({ maxGroups: 10_000 });
  const names = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => toolName(from + index));
  const sets = [names(0, 8), names(20, 8)];
  for (let a = 8; sets.length < groups; a++) {
    for (let b = 0; b < a && sets.length < groups; b++) {
      if ((a < 20 || a >= 28) && (b < 20 || b >= 28)) sets.push([toolName(b), toolName(a % TOOLS)]);
    }
  }
  for (const agentId of agentIds) {
    const change = { runId: 'run', revision: 1, run: undefined, endedAt: [1, 0] as const };
    await store.apply(agentId, [{ ...change, cohorts: sets.map(cohortOf) }]);
  }
  return new PlanReader({ store });
}

function toolName(index: number): string {
  return `tool_${String(index).padStart(2, '0')}`;
}
