import { existsSync } from 'node:fs';
import type { StoreLimits } from '../store/limits.ts';
import { openStore } from '../store/open-store.ts';
import { type PlanStore, StoreError } from '../store/plan-store.ts';
import { CliError } from './cli-error.ts';
import { storeFailure } from './store-failure.ts';
import { lmdbPath } from './store-url.ts';

export interface StoreChoice {
  readonly store: string;
  readonly keyPrefix?: string;
}

/**
 * Opens the store for one command and closes it in the end.
 * @throws CliError in place of the store's own errors.
 */
export async function withStore<Result>(
  choice: StoreChoice,
  use: (store: PlanStore) => Promise<Result>,
  limits: Partial<StoreLimits> = {},
): Promise<Result> {
  const store = await open(choice, limits);
  try {
    return await use(store);
  } catch (error) {
    if (error instanceof StoreError) {
      throw new CliError(storeFailure(error, choice.store), 1, { cause: error });
    }
    throw error;
  } finally {
    await store.close();
  }
}

/** The same for a command that writes nothing new: it leaves no empty store behind where there was none. */
export async function withExistingStore<Result>(
  choice: StoreChoice,
  use: (store: PlanStore) => Promise<Result>,
): Promise<Result> {
  const path = lmdbPath(choice.store);
  const isMissing = path !== undefined && path !== '' && !existsSync(path);
  return withStore(isMissing ? { store: 'memory:' } : choice, use);
}

async function open({ store, keyPrefix }: StoreChoice, limits: Partial<StoreLimits>): Promise<PlanStore> {
  try {
    return await openStore(store, { ...limits, ...(keyPrefix !== undefined && { keyPrefix }) });
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) {
      throw new CliError(`--store (or SPANPLAN_STORE) cannot be used: ${error.message}.`, 2, {
        cause: error,
      });
    }
    throw error;
  }
}
