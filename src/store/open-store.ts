import type { StoreLimits } from './limits.ts';
import type { PlanStore } from './plan-store.ts';
import { parseStoreUrl } from './store-url.ts';

export interface OpenStoreOptions extends Partial<StoreLimits> {
  /** Redis: begins every key. Default `spanplan:`. */
  readonly keyPrefix?: string;
  /** Redis: keeps an agent's keys in one slot of a Cluster. Default off. */
  readonly hashTags?: boolean;
}

/**
 * Makes the store that a URL names: `memory:`, `lmdb:PATH`, `redis://…`, `rediss://…` or `unix:PATH`. Loads that one
 * store only; its driver is loaded when it is first used.
 * @throws RangeError for a URL of no store. The message never holds the URL, which may hold a password.
 */
export async function openStore(url: string, options: OpenStoreOptions = {}): Promise<PlanStore> {
  const { keyPrefix, hashTags, ...limits } = options;
  const place = parseStoreUrl(url);
  switch (place.kind) {
    case 'memory': {
      const { MemoryPlanStore } = await import('./memory-plan-store.ts');
      return new MemoryPlanStore(limits);
    }
    case 'lmdb': {
      const { LmdbPlanStore } = await import('./lmdb-plan-store.ts');
      return new LmdbPlanStore({ path: place.path, ...limits });
    }
    case 'redis': {
      const { RedisPlanStore } = await import('./redis-plan-store.ts');
      return new RedisPlanStore({
        url,
        ...(keyPrefix !== undefined && { keyPrefix }),
        ...(hashTags !== undefined && { hashTags }),
        ...limits,
      });
    }
  }
}
