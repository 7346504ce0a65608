import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';
import { ToolParallelismLearner } from '../src/learner/tool-parallelism-learner.ts';
import { cohortOf, isContained } from '../src/model/cohort.ts';
import type { ExecutionPlan } from '../src/model/execution-plan.ts';
import type { CallRecord, RunRecord } from '../src/model/run-record.ts';
import { endOf } from '../src/run-changes.ts';
import { RedisPlanStore } from '../src/store/redis-plan-store.ts';
import { WriteQueue } from '../src/store/write-queue.ts';
import { startRedisServer } from '../test/support/redis-server.ts';
import type { Benchmark, Sides, Turn } from './harness.ts';
import { type NemoLearner, startNemo } from './nemo-learner.ts';

const NEMO = 'nemo-flow-node 0.2.0 with Redis';

/**
 * Runs of N overlapping calls, until each is stored and the plan rests in Redis. The rival can only be fed through its
 * own scopes, which are a tenth of its cost. Cost is the CPU time of this process, all its threads included, and of Redis.
 */
export const learnBenchmarks: readonly Benchmark[] = [
  ...[
    { width: 4, runs: 5_000 },
    { width: 16, runs: 1_000 },
    { width: 64, runs: 300 },
  ].map(({ width, runs }) => ({
    name: `learn-${width}`,
    rival: NEMO,
    atLeast: 10,
    stretch: 25,
    rounds: 9,
    prepare: () => besideNemo({ width, runs, groups: 0 }),
  })),
  {
    name: 'learn-1000-groups',
    rival: NEMO,
    atLeast: 50,
    stretch: 200,
    rounds: 7,
    prepare: () => besideNemo({ width: 4, runs: 500, groups: 1_000 }),
  },
  {
    name: 'learn-1024',
    rival: NEMO,
    atLeast: 20,
    stretch: 100,
    rounds: 3,
    prepare: () => besideNemo({ width: 1_024, runs: 1, groups: 0 }),
  },
  {
    name: 'learn-growth',
    rival: 'itself with no other group stored',
    atLeast: 0.75,
    stretch: 0.9,
    prepare: () => besideItself({ width: 4, runs: 10_000, groups: 10_000 }),
  },
];

interface Work {
  /** Calls of a run that overlap. */
  readonly width: number;
  /** Runs in a turn. */
  readonly runs: number;
  /** Groups that the plan has before. */
  readonly groups: number;
}

async function besideNemo({ width, runs, groups }: Work): Promise<Sides> {
  const bench = await startBench();
  const { redis, store } = bench;
  await bench.seed('planner', groups);
  const seeded = await redis.get('ours:plan:planner');
  if (seeded !== null) await redis.set('nemo_flow:plan:planner', seeded);
  const nemo = await startNemo(bench.socket, 'nemo_flow:', 'planner');
  return {
    ours: () =>
      bench.turn(
        () => bench.learn('planner', runs, width),
        async () => maximal((await store.load('planner'))?.plan),
      ),
    rival: () =>
      bench.turn(
        () => learnByNemo(nemo, redis, runs, width),
        async () => maximal(JSON.parse((await redis.get('nemo_flow:plan:planner')) ?? '{}')),
      ),
    async close() {
      nemo.stop();
      await bench.close();
    },
  };
}

async function besideItself({ width, runs, groups }: Work): Promise<Sides> {
  const bench = await startBench();
  await bench.seed('many', groups);
  const side = (agentId: string) => () =>
    bench.turn(
      () => bench.learn(agentId, runs, width),
      async () => (await bench.store.runs(agentId, runs)).length,
    );
  return { ours: side('many'), rival: side('none'), close: bench.close };
}

async function startBench() {
  const server = await startRedisServer();
  const redis = new Redis(server.socket);
  await redis.ping();
  const bounds = { maxGroups: 20_000, maxPlanBytes: 64 * 1_048_576, maxRunsPerAgent: 100_000 };
  const store = new RedisPlanStore({ client: redis, keyPrefix: 'ours:', ...bounds });
  const learner = new ToolParallelismLearner();
  const queue = new WriteQueue(store);
  let made = 1;
  return {
    socket: server.socket,
    redis,
    store,

    /** Gives the agent a plan of so many pairs, those of the first tools among them. */
    async seed(agentId: string, groups: number): Promise<void> {
      if (groups === 0) return;
      const tools = Math.ceil((1 + Math.sqrt(1 + 8 * groups)) / 2);
      const pairs = Array.from({ length: tools }, (_, a) =>
        Array.from({ length: a }, (_, b) => cohortOf([toolName(a), toolName(b)])),
      ).flat();
      const run = runOf(idOf(0), agentId, 0);
      await store.apply(agentId, [
        { runId: run.id, revision: 1, run, endedAt: run.startedAt, cohorts: pairs.slice(0, groups) },
      ]);
    },

    /** As the pipeline does it: so many runs in one turn of the event loop, while others are being written. */
    async learn(agentId: string, runs: number, width: number): Promise<void> {
      for (let index = 1; index <= runs; index++) {
        const run = runOf(idOf(made++), agentId, width);
        const { cohorts } = learner.learn(run);
        queue.enqueue(agentId, { runId: run.id, revision: 1, run, endedAt: endOf(run), cohorts }, undefined);
        if (index % 32 === 0) await new Promise(setImmediate);
      }
      await queue.drain(60_000);
    },

    /** @param look at what was done; not part of the cost. */
    async turn(work: () => Promise<void>, look: () => Promise<unknown>): Promise<Turn> {
      const redisBefore = await redisCpu(redis);
      const before = process.cpuUsage();
      await work();
      const { user, system } = process.cpuUsage(before);
      const cost = user + system + (await redisCpu(redis)) - redisBefore;
      return { did: await look(), cost };
    },

    async close(): Promise<void> {
      await queue.close(1_000);
      await store.close();
      redis.disconnect();
      await server.dispose();
    },
  };
}

async function learnByNemo(nemo: NemoLearner, redis: Redis, runs: number, width: number): Promise<void> {
  const names = Array.from({ length: width }, (_, index) => toolName(index));
  const before = await redis.llen('nemo_flow:runs_index:planner');
  for (let index = 0; index < runs; index++) nemo.run(names);
  while ((await redis.llen('nemo_flow:runs_index:planner')) < before + runs) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/**
 * What both sides must have come to: the groups that no other contains. The rival keeps each of a thousand steps towards
 * a group of 1,024, where spanplan keeps the group.
 */
function maximal(plan: ExecutionPlan | undefined): string {
  const groups = (plan?.parallel_groups ?? []).map((group) => group.tool_names);
  const largestFirst = [...groups].sort((a, b) => b.length - a.length);
  const kept: (readonly string[])[] = [];
  for (const names of largestFirst) {
    if (!kept.some((other) => isContained(names, other))) kept.push(names);
  }
  const text = kept
    .map((names) => names.join())
    .sort()
    .join(';');
  return `${kept.length} groups, ${createHash('sha256').update(text).digest('hex')}`;
}

/** Microseconds that the server has worked. */
async function redisCpu(redis: Redis): Promise<number> {
  const info = await redis.info('cpu');
  const seconds = ['sys', 'user'].map((kind) => Number(info.match(`used_cpu_${kind}:([\\d.]+)`)?.[1]));
  return seconds.reduce((sum, each) => sum + each, 0) * 1e6;
}

/** `width` calls that start one after another and all run at the end of that. */
function runOf(id: string, agentId: string, width: number): RunRecord {
  const calls: CallRecord[] = Array.from({ length: width }, (_, index) => ({
    kind: 'tool',
    name: toolName(index),
    startedAt: [1_700_000_000, index * 1_000],
    endedAt: [1_700_000_001, index * 1_000],
  }));
  return { id, agentId, startedAt: [1_700_000_000, 0], endedAt: [1_700_000_002, 0], calls };
}

/** The rival takes nothing but UUIDs. */
function idOf(number: number): string {
  return `00000000-0000-5000-8000-${String(number).padStart(12, '0')}`;
}

function toolName(index: number): string {
  return `tool_${String(index).padStart(3, '0')}`;
}
