import type { ApplyOutcome, RunChange, StoreErrorCode } from './plan-store.ts';

export interface WriteQueueOptions<Token> extends Partial<WriteQueueBounds> {
  readonly observer?: WriteObserver<Token>;
}

export interface WriteQueueBounds {
  /** Most changes that wait or are being written. Default 10,000. */
  readonly maxQueuedRuns: number;
  /** Most bytes, roughly, that they take. Default 32 MiB. */
  readonly maxQueuedBytes: number;
  /** Most changes of an agent merged into one write. Default 256. */
  readonly maxBatchRuns: number;
  /** Most agents written at the same time. Default 8. */
  readonly maxAgentsInFlight: number;
  /** Wait before the first retry; doubled for each further one, with jitter. Default 50. */
  readonly minRetryMillis: number;
  /** Longest wait before a retry. Default 2,000. */
  readonly maxRetryMillis: number;
}

/** Is told of everything that happens to changes; for accounts and metrics. Must not throw; if it does, it is logged. */
export interface WriteObserver<Token> {
  /** Called exactly once for each change that was enqueued. */
  settled?(change: RunChange, outcome: WriteOutcome, token: Token): void;
  wrote?(agentId: string, outcome: ApplyOutcome, millis: number): void;
  /** A write failed with the store's code, or `error` where the store threw something else. It will be tried again. */
  failed?(agentId: string, code: StoreErrorCode | 'error'): void;
}

/** How a change ended. One replaced by a later revision while it waited ends as that revision does. */
export type WriteOutcome = 'learned' | 'duplicate' | { readonly dropped: WriteDropReason };

type WriteDropReason =
  /** The queue was over its bounds and this was the oldest change waiting. */
  | 'queue_full'
  /** The store has as many agents as it may. */
  | 'agent_limit'
  /** The queue or the store was closed first. */
  | 'shutdown';

const DEFAULT_BOUNDS: WriteQueueBounds = {
  maxQueuedRuns: 10_000,
  maxQueuedBytes: 32 * 1_048_576,
  maxBatchRuns: 256,
  maxAgentsInFlight: 8,
  minRetryMillis: 50,
  maxRetryMillis: 2_000,
};

/** @throws RangeError where one is not a whole number of at least 1. */
export function resolveWriteQueueBounds(bounds: Partial<WriteQueueBounds>): WriteQueueBounds {
  const resolved = { ...DEFAULT_BOUNDS, ...bounds };
  for (const [name, value] of Object.entries(resolved)) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`${name} must be a whole number of at least 1, not ${String(value)}`);
    }
  }
  return resolved;
}
