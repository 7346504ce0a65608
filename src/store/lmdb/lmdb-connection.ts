import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../support/told-error.ts';
import { StoreError } from '../plan-store.ts';
import { EnvironmentLease } from './environment-lease.ts';
import type { LmdbEnvironment } from './lmdb-environment.ts';

/** The environment of a directory, opened when it is first used, and write transactions in it. */
export class LmdbConnection {
  readonly #path: string;
  #lease: Promise<EnvironmentLease> | undefined;
  #closed = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** Says in errors whose plan it is. */
  labelOf(agentId: string): string {
    return `${this.#path}, agent ${JSON.stringify(agentId)}`;
  }

  /** @throws StoreError `closed`. */
  assertOpen(): void {
    if (this.#closed) throw new StoreError('closed', 'The store has been closed.');
  }

  /** Tried again where it failed before. */
  async open(): Promise<LmdbEnvironment> {
    this.assertOpen();
    this.#lease ??= this.#takeLease();
    const { environment } = await this.#lease;
    this.assertOpen();
    // Else reads of one turn of the event loop would all see the state at its first.
    environment.root.resetReadTxn();
    return environment;
  }

  /**
   * @param work is not done any more once this has thrown.
   * @throws StoreError `unavailable` where it cannot be written, or others hold a lock for too long.
   */
  async transaction<T>(work: (environment: LmdbEnvironment) => T): Promise<T> {
    const over = new AbortController();
    const timeout = sleep(TRANSACTION_TIMEOUT_MILLIS, undefined, { signal: over.signal }).then(() => {
      throw new StoreError('unavailable', `The store at ${this.#path} is locked by another process.`);
    });
    try {
      return await Promise.race([this.#write(work, over.signal), timeout]);
    } catch (error) {
      if (error instanceof StoreError) throw error;
      this.assertOpen();
      const reason = messageOf(error);
      throw new StoreError('unavailable', `The store at ${this.#path} cannot be written: ${reason}`, {
        cause: error,
      });
    } finally {
      over.abort();
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const lease = await this.#lease?.catch(() => undefined);
    await lease?.release();
  }

  async #write<T>(work: (environment: LmdbEnvironment) => T, over: AbortSignal): Promise<T> {
    const environment = await this.open();
    const { root, openingLock } = environment;
    for (;;) {
      const done = await root.transaction(() =>
        over.aborted || openingLock.isHeld ? undefined : { result: work(environment) },
      );
      if (done !== undefined) return done.result;
      openingLock.removeStale();
      await sleep(RETRY_MILLIS, undefined, { signal: over });
    }
  }

  async #takeLease(): Promise<EnvironmentLease> {
    try {
      return await EnvironmentLease.take(this.#path);
    } catch (error) {
      this.#lease = undefined;
      throw error;
    }
  }
}

const TRANSACTION_TIMEOUT_MILLIS = 1_800;
const RETRY_MILLIS = 5;
