import { StoreError } from '../plan-store.ts';

/**
 * Says what went wrong with Redis, without the error itself: ioredis hangs the command with all its arguments on it,
 * a password among them.
 */
export function storeErrorOf(error: unknown, label: string): StoreError {
  if (error instanceof StoreError) return error;
  const reason = error instanceof Error ? error.message.slice(0, 200) : 'unknown error';
  if (reason.includes('WRONGTYPE')) {
    return new StoreError('corrupt_plan', `A key at ${label} holds a value of another type than a plan has.`);
  }
  const refused = REFUSALS.exec(reason)?.[1];
  if (refused !== undefined) {
    return new StoreError('unavailable', `${label} refused a command (${refused}): ${reason}`);
  }
  return new StoreError('unavailable', `${label} cannot be reached: ${reason}`);
}

/** Whether the server answered, and would not do it. */
export function isRefusal(error: Error): boolean {
  return REFUSALS.test(error.message);
}

const REFUSALS =
  /\b(NOPERM|NOAUTH|WRONGPASS|OOM|READONLY|LOADING|MISCONF|NOREPLICAS|MASTERDOWN|CLUSTERDOWN|BUSY|ERR)\b/;
