import { LazyPlanStore } from './lazy-plan-store.ts';
import type { StoreLimits } from './limits.ts';
import { resolveLimits } from './limits.ts';
import type { PlanStore } from './plan-store.ts';

/** What can be set of a store that is made from a URL. */
export interface StoreOptions extends Partial<StoreLimits> {
  /** Begins all keys in Redis. Default `spanplan:`; with `nemo_relay:` or `nemo_flow:` plans are shared with that runtime. */
  readonly keyPrefix?: string;
}

const SCHEMES = ['memory:', 'lmdb:', 'redis://', 'rediss://', 'unix:'];

/**
 * The store itself, or one that is opened from a URL when it is first used.
 * @throws TypeError for a URL of no store, RangeError for a bound out of range.
 */
export function storeOf(store: PlanStore | string, options: StoreOptions = {}): PlanStore {
  if (typeof store !== 'string') return store;
  resolveLimits(options);
  if (!SCHEMES.some((scheme) => store.startsWith(scheme))) {
    throw new TypeError(
      'store is no URL of a store: give redis://HOST:PORT, rediss://HOST:PORT, unix:PATH, lmdb:PATH or memory:',
    );
  }
  return new LazyPlanStore(async () => (await import('./open-store.ts')).openStore(store, options));
}
