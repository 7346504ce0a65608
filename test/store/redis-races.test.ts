import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { RedisPlanStore } from '../../src/store/redis-plan-store.ts';
import { freshPrefix, redisClient, redisUrl } from '../support/redis.ts';
import { until } from './contract.ts';

const WRITERS = 8;
const GROUPS_EACH = 200;

it('8 processes that add 1,600 different groups to one agent lose none of them, where GET-merge-SET does', async () => {
  const keyPrefix = freshPrefix();
  const took = await race(keyPrefix, 'store');
  const store = new RedisPlanStore({ url: redisUrl(), keyPrefix });
  const stored = await store.load('planner');
  const support = await store.support('planner');
  await store.close();
  console.log(`1,600 groups by 8 processes: ${took.millis.toFixed(0)} ms, ${took.conflicts} conflicts`);
  expect(new Set(stored?.plan.parallel_groups.map((group) => group.tool_names.join())).size).toBe(1_600);
  expect(stored?.plan.metadata_template.parallel_hints).toHaveLength(3_200);
  expect(stored?.revision).toBe(200);
  expect(support.map((group) => group.runs)).toEqual(Array.from({ length: 1_600 }, () => 1));

  const control = freshPrefix();
  await race(control, 'get-merge-set');
  const redis = redisClient();
  const kept = JSON.parse((await redis.get(`${control}plan:planner`)) ?? '').parallel_groups.length;
  redis.disconnect();
  console.log(`GET-merge-SET kept ${kept} of 1,600`);
  expect(kept).toBeLessThan(1_600);
}, 60_000);

async function race(keyPrefix: string, how: string): Promise<{ millis: number; conflicts: number }> {
  const redis = redisClient();
  const script = fileURLToPath(new URL('race-writer.ts', import.meta.url));
  const socket = redisUrl().slice('unix:'.length);
  const writers = Array.from({ length: WRITERS }, async (_, writer) => {
    const args = ['--import', 'tsx', script, socket, keyPrefix, String(writer), String(GROUPS_EACH), how];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (data) => {
      output += data;
    });
    const [status] = await once(child, 'close');
    expect(status).toBe(0);
    return JSON.parse(output).conflicts as number;
  });
  await until(async () => (await redis.get(`${keyPrefix}ready`)) === String(WRITERS), 40_000);
  const started = performance.now();
  await redis.set(`${keyPrefix}go`, '1');
  const conflicts = await Promise.all(writers);
  redis.disconnect();
  return { millis: performance.now() - started, conflicts: conflicts.reduce((sum, each) => sum + each, 0) };
}
