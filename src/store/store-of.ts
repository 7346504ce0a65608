import { LazyPlanStore } from './lazy-plan-store.ts';
import { resolveLimits, type StoreLimits } from './limits.ts';
import type { PlanStore } from './plan-store.ts';
import { parseStoreUrl } from './store-url.ts';

/** What can be set of a store that is made from a URL. A store that is passed in has its own. */
export interface StoreOptions extends Partial<StoreLimits> {
  /** Begins all keys in Redis. Default `spanplan:`; with `nemo_relay:` or `nemo_flow:` plans are shared with that runtime. */
  readonly keyPrefix?: string;
}

/** `maxGroups` bounds what a run may contribute too, and so means something beside any store. */
const OF_THE_STORE = [
  'keyPrefix',
  'maxPlanBytes',
  'maxAgents',
  'maxRunsPerAgent',
  'runTtlSeconds',
  'appliedRunTtlSeconds',
  'maxAppliedRuns',
] as const satisfies readonly (keyof StoreOptions)[];

/**
 * The store itself, or one that is opened from a URL when it is first used.
 * @throws RangeError for a URL of no store, a bound out of range, and for options of a store beside one that is passed
 * in, where they would do nothing.
 */
export function storeOf(store: PlanStore | string, options: StoreOptions = {}): PlanStore {
  if (typeof store === 'string') {
    resolveLimits(options);
    parseStoreUrl(store);
    return new LazyPlanStore(async () => (await import('./open-store.ts')).openStore(store, options));
  }
  const idle = OF_THE_STORE.filter((name) => options[name] !== undefined);
  if (idle.length > 0) {
    throw new RangeError(`${idle.join(', ')}: give this to the store itself, which was passed in`);
  }
  return store;
}
