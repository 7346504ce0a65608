import { createHash } from 'node:crypto';
import { afterAll, beforeEach, expect, it } from 'vitest';
import type { RedisPlanStore } from '../../src/store/redis-plan-store.ts';
import { freshPrefix, redisClient } from '../support/redis.ts';
import { change } from './changes.ts';
import { groupNames } from './group-names.ts';
import { redisStore, storedPlan } from './redis-stores.ts';

/**
 * Versions before 0.2 keep the SHA-1 of the whole plan in `sha1`, and know nothing of `body_sha1`, `body_writes` and
 * `plan_length`.
 */
const redis = redisClient();
afterAll(() => redis.disconnect());

let prefix = '';
let store: RedisPlanStore;

beforeEach(async () => {
  prefix = freshPrefix();
  store = redisStore(prefix);
  await store.apply('planner', [change('r1', [['a', 'b']], { at: 1 })]);
});

const planKey = () => `${prefix}plan:planner`;
const metaKey = () => `${prefix}fanout_meta:planner`;
const plan = () => storedPlan(redis, planKey());
const groups = async () => groupNames(await plan());

/** What an earlier version leaves after it wrote this plan. */
async function writtenByEarlier(text: string, revision: number, runId: string): Promise<void> {
  const runJson = JSON.stringify(runId);
  await redis.set(planKey(), text);
  await redis.hincrby(metaKey(), 'writes', 1);
  await redis.hset(metaKey(), {
    revision,
    sha1: createHash('sha1').update(text).digest('hex'),
    run_id: runId,
    run_json: runJson,
    run_offset: Buffer.byteLength(text.slice(0, text.indexOf(runJson))),
    run_length: Buffer.byteLength(runJson),
  });
}

it('what an earlier version left is read, and gone on with', async () => {
  const left = (await redis.get(planKey())) ?? '';
  await redis.hdel(metaKey(), 'body_sha1', 'body_writes', 'plan_length');
  await writtenByEarlier(left, 1, 'r1');
  const outcome = await store.apply('planner', [change('r2', [['a', 'b']], { at: 2 })]);
  expect(outcome).toMatchObject({ conflicts: 0, revision: 1 });
  expect((await plan()).metadata_template.run_id).toBe('r2');
});

it('a group that an earlier version added meanwhile is kept', async () => {
  const now = await plan();
  const theirs = { group_id: 'zz', tool_names: ['x', 'y'] };
  const text = JSON.stringify({ ...now, parallel_groups: [...now.parallel_groups, theirs] });
  await writtenByEarlier(text, 2, 'r1');
  await store.apply('planner', [change('r3', [['c', 'd']], { at: 3 })]);
  expect(await groups()).toEqual(['a+b', 'c+d', 'x+y']);
});

it('a plan that was set back after an earlier version wrote is not taken for ours', async () => {
  const old = (await redis.get(planKey())) ?? '';
  const other = JSON.stringify({ ...(await plan()), extra: 1 });
  await writtenByEarlier(other, 1, 'r1');
  await redis.set(planKey(), old);
  const outcome = await store.apply('planner', [change('r3', [['a', 'b']], { at: 3 })]);
  expect(outcome.conflicts).toBe(1);
});

it('an earlier version finds that it must look again', async () => {
  await store.apply('planner', [change('r2', [['a', 'b']], { at: 2 })]);
  const sha1 = createHash('sha1')
    .update((await redis.get(planKey())) ?? '')
    .digest('hex');
  expect(await redis.hget(metaKey(), 'sha1')).not.toBe(sha1);
});

it.each(['r2', 'a longer id'])(
  'a run of known groups leaves all of the plan but its run id: %s',
  async (runId) => {
    const before = (await redis.get(planKey())) ?? '';
    await store.apply('planner', [change(runId, [['a', 'b']], { at: 2 })]);
    expect(await redis.get(planKey())).toBe(before.replace('"run_id":"r1"', `"run_id":"${runId}"`));
  },
);

it('a plan of the same length that another runtime wrote is merged again', async () => {
  const text = JSON.stringify(await plan());
  await redis.set(planKey(), text.replace('"run_id":"r1"', '"run_id":"rX"').replaceAll('"a"', '"z"'));
  await store.apply('planner', [change('r2', [['a', 'b']], { at: 2 })]);
  expect(await groups()).toEqual(['a+b', 'z+b']);
});
