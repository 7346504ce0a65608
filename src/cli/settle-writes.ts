import { setTimeout as sleep } from 'node:timers/promises';
import { StoreError } from '../store/plan-store.ts';
import type { WriteWatch } from './write-watch.ts';

export interface SettleOptions {
  readonly watch: WriteWatch;
  /** How much waits to be written. */
  readonly pending: () => number;
  /** Resolves once no more than this waits. */
  readonly atMost: number;
  /** Waits a while, or works towards the end. */
  readonly step?: () => Promise<unknown>;
}

/**
 * Waits for writes as long as they make progress: a slow store takes its time, one that is away does not.
 * @throws StoreError of the last write where none has succeeded for 5 seconds.
 */
export async function settleWrites({ watch, pending, atMost, step = nap }: SettleOptions): Promise<void> {
  let writes = watch.writes;
  let progressAt = performance.now();
  while (pending() > atMost) {
    await step();
    if (watch.writes !== writes) {
      writes = watch.writes;
      progressAt = performance.now();
    } else if (performance.now() - progressAt > PATIENCE_MILLIS) {
      throw watch.trouble ?? new StoreError('unavailable', 'The store takes no writes.');
    }
  }
}

const PATIENCE_MILLIS = 5_000;

function nap(): Promise<unknown> {
  return sleep(10);
}
