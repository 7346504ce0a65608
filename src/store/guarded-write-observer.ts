import { tell } from '../support/tell.ts';
import type { ApplyOutcome, RunChange, StoreErrorCode } from './plan-store.ts';
import type { WriteObserver, WriteOutcome } from './write-queue-options.ts';

/** Tells an observer, and lets none of its errors reach the queue. */
export class GuardedWriteObserver<Token> {
  readonly #observer: WriteObserver<Token>;

  constructor(observer: WriteObserver<Token>) {
    this.#observer = observer;
  }

  settled(change: RunChange, outcome: WriteOutcome, token: Token): void {
    guarded(() => this.#observer.settled?.(change, outcome, token));
  }

  wrote(agentId: string, outcome: ApplyOutcome, millis: number): void {
    guarded(() => this.#observer.wrote?.(agentId, outcome, millis));
  }

  failed(agentId: string, code: StoreErrorCode | 'error'): void {
    guarded(() => this.#observer.failed?.(agentId, code));
  }
}

function guarded(call: () => void): void {
  try {
    call();
  } catch (error) {
    tell.error('spanplan: an observer of the write queue threw', error);
  }
}
