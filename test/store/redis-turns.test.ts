import { afterAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { resolveLimits } from '../../src/store/limits.ts';
import { claimArgs, releaseArgs } from '../../src/store/redis/apply-args.ts';
import { RedisKeys, scriptKeys } from '../../src/store/redis/keys.ts';
import { RedisConnection } from '../../src/store/redis/redis-connection.ts';
import { RedisScript } from '../../src/store/redis/redis-script.ts';
import type { RedisPlanStore } from '../../src/store/redis-plan-store.ts';
import { freshPrefix, redisClient, redisUrl } from '../support/redis.ts';
import { change } from './changes.ts';
import { redisStore } from './redis-stores.ts';

const redis = redisClient();
afterAll(() => redis.disconnect());
const SCRIPT = new RedisScript('apply-runs-9.lua');

let store: RedisPlanStore;
let turnKey = '';
let claim: (turn: string) => Promise<unknown>;
let release: (turn: string) => Promise<unknown>;

beforeEach(() => {
  const prefix = freshPrefix();
  store = redisStore(prefix);
  const keys = new RedisKeys(prefix, false).of('planner');
  turnKey = keys.turn;
  const connection = new RedisConnection({ url: redisUrl() });
  onTestFinished(() => connection.close());
  const run = (args: Buffer) => SCRIPT.run(connection, scriptKeys(keys), [args]);
  const context = { nowMillis: Date.now(), limits: resolveLimits() };
  claim = async (turn) => ((await run(claimArgs([['r1', 1]], { ...context, turn }))) as unknown[])[0];
  release = (turn) => run(releaseArgs(turn));
});

describe('a turn', () => {
  it('is one writer’s until it gives it back', async () => {
    expect(await claim('a')).toBe('stale');
    expect(await claim('a')).toBe('stale');
    expect(await claim('b')).toBe('busy');
    await release('b');
    expect(await redis.get(turnKey)).toBe('a');
    await release('a');
    expect(await claim('b')).toBe('stale');
  });

  it('ends by itself where its writer is gone', async () => {
    await claim('a');
    const left = await redis.pttl(turnKey);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(250);
  });

  it('of another writer holds up a write that adds a group', async () => {
    await redis.set(turnKey, 'another', 'PX', 60);
    await store.apply('planner', [change('r1', [['a', 'b']])]);
    expect(await redis.exists(turnKey)).toBe(0);
  });

  it('of another writer does not hold up one that only counts', async () => {
    await store.apply('planner', [change('r1', [['a', 'b']], { at: 1 })]);
    await redis.set(turnKey, 'another');
    expect(await store.apply('planner', [change('r2', [['a', 'b']], { at: 2 })])).toMatchObject({
      applied: 1,
      conflicts: 0,
    });
    expect(await redis.get(turnKey)).toBe('another');
  });

  it('goes with the agent', async () => {
    await store.apply('planner', [change('r1', [['a', 'b']])]);
    await claim('a');
    await store.forget('planner');
    expect(await redis.exists(turnKey)).toBe(0);
  });
});
