import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { ToolParallelismLearner } from '../src/learner/tool-parallelism-learner.ts';
import type { CallRecord, RunRecord } from '../src/model/run-record.ts';
import { endOf } from '../src/run-changes.ts';
import { RedisPlanStore } from '../src/store/redis-plan-store.ts';
import { WriteQueue } from '../src/store/write-queue.ts';
import { startRedisServer } from '../test/support/redis-server.ts';
import type { Benchmark, Sides } from './harness.ts';

/** Runs of N overlapping calls, until each is stored and the plan rests in Redis, beside nemo-flow-node. */
export const learnBenchmarks: readonly Benchmark[] = [4, 16, 64].map((width) => ({
  name: `learn-${width}`,
  rival: 'nemo-flow-node 0.2.0 with Redis',
  atLeast: 10,
  stretch: 25,
  rounds: 9,
  prepare: () => sidesFor(width),
}));

async function sidesFor(width: number): Promise<Sides> {
  const runs = Math.max(20, Math.round(1_600 / width));
  const server = await startRedisServer();
  const redis = new Redis(server.socket);
  const store = new RedisPlanStore({ client: redis, keyPrefix: 'ours:', maxRunsPerAgent: 100_000 });
  const learner = new ToolParallelismLearner();
  const nemo = await startNemo(server.socket);
  let made = 0;
  return {
    async ours() {
      const queue = new WriteQueue(store);
      for (let index = 0; index < runs; index++) {
        const run = runOf(`00000000-0000-5000-8000-${String(made++).padStart(12, '0')}`, width);
        const { cohorts } = learner.learn(run);
        queue.enqueue(
          'planner',
          { runId: run.id, revision: 1, run, endedAt: endOf(run), cohorts },
          undefined,
        );
      }
      await queue.close(60_000);
      return { did: (await store.load('planner'))?.plan.parallel_groups.length };
    },
    async rival() {
      const before = await redis.llen('nemo_flow:runs_index:planner');
      for (let index = 0; index < runs; index++) nemo.run(width);
      while ((await redis.llen('nemo_flow:runs_index:planner')) < before + runs) await sleep(5);
      const plan = JSON.parse((await redis.get('nemo_flow:plan:planner')) ?? '{}');
      return { did: plan.parallel_groups?.length };
    },
    async close() {
      nemo.stop();
      await store.close();
      redis.disconnect();
      await server.dispose();
    },
  };
}

/** `width` calls that start one after another and all run at the end of that. */
function runOf(id: string, width: number): RunRecord {
  const calls: CallRecord[] = Array.from({ length: width }, (_, index) => ({
    kind: 'tool',
    name: toolName(index),
    startedAt: [1_700_000_000, index * 1_000],
    endedAt: [1_700_000_001, index * 1_000],
  }));
  return { id, agentId: 'planner', startedAt: [1_700_000_000, 0], endedAt: [1_700_000_002, 0], calls };
}

function toolName(index: number): string {
  return `tool_${String(index).padStart(3, '0')}`;
}

/** The published learner, as its documentation sets it up. */
async function startNemo(socket: string): Promise<{ run(width: number): void; stop(): void }> {
  const require = createRequire(import.meta.url);
  const nemo = require('nemo-flow-node');
  const plugin = require('nemo-flow-node/plugin');
  const adaptive = require('nemo-flow-node/adaptive');
  const config = plugin.defaultConfig();
  config.components = [
    adaptive.ComponentSpec({
      ...adaptive.defaultConfig(),
      agent_id: 'planner',
      state: { backend: adaptive.redisBackend(`redis+unix://${socket}`, 'nemo_flow:') },
      telemetry: adaptive.telemetryConfig({ learners: ['tool_parallelism'] }),
    }),
  ];
  await plugin.initialize(config);
  const AGENT_SCOPE = 0;
  return {
    run(width) {
      const scope = nemo.pushScope('planner', AGENT_SCOPE);
      const calls = Array.from({ length: width }, (_, index) => nemo.toolCall(toolName(index), {}, scope));
      for (const call of calls) nemo.toolCallEnd(call, {});
      nemo.popScope(scope);
    },
    stop: () => plugin.clear(),
  };
}
