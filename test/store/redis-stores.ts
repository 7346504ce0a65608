import type { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import type { ExecutionPlan } from '../../src/model/execution-plan.ts';
import { RedisPlanStore, type RedisPlanStoreOptions } from '../../src/store/redis-plan-store.ts';
import { freshPrefix, redisUrl } from '../support/redis.ts';
import type { StoreUnderTest } from './contract.ts';

/** A store on the Redis of the tests, open until the test ends. To be called inside one, or before each. */
export function redisStore(keyPrefix: string, options: Partial<RedisPlanStoreOptions> = {}): RedisPlanStore {
  const store = new RedisPlanStore({ url: redisUrl(), keyPrefix, ...options });
  onTestFinished(() => store.close());
  return store;
}

/** Stores on one client, for the contract: in each test under another prefix. */
export function storesOf(
  client: Exclude<RedisPlanStoreOptions['client'], undefined> & { disconnect(): void },
  options: Partial<RedisPlanStoreOptions> = {},
): StoreUnderTest {
  let keyPrefix = '';
  return {
    fresh: () => {
      keyPrefix = freshPrefix();
    },
    make: (limits) => new RedisPlanStore({ client, keyPrefix, ...options, ...limits }),
    isShared: true,
    dispose: async () => client.disconnect(),
  };
}

/** What stands in Redis, whoever wrote it. */
export async function storedPlan(redis: Redis, key: string): Promise<ExecutionPlan> {
  return JSON.parse((await redis.get(key)) ?? 'null');
}
