import type { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import type { ExecutionPlan } from '../../src/model/execution-plan.ts';
import { RedisPlanStore, type RedisPlanStoreOptions } from '../../src/store/redis-plan-store.ts';
import { redisUrl } from '../support/redis.ts';

/** A store on the Redis of the tests, open until the test ends. To be called inside one, or before each. */
export function redisStore(keyPrefix: string, options: Partial<RedisPlanStoreOptions> = {}): RedisPlanStore {
  const store = new RedisPlanStore({ url: redisUrl(), keyPrefix, ...options });
  onTestFinished(() => store.close());
  return store;
}

/** What stands in Redis, whoever wrote it. */
export async function storedPlan(redis: Redis, key: string): Promise<ExecutionPlan> {
  return JSON.parse((await redis.get(key)) ?? 'null');
}
