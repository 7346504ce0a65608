import { StoreError } from '../plan-store.ts';
import { type LmdbEnvironment, openLmdb } from './lmdb-environment.ts';

/** The environment of a directory, opened when it is first used, and write transactions in it. */
export class LmdbConnection {
  readonly #path: string;
  #environment: Promise<LmdbEnvironment> | undefined;
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

  async open(): Promise<LmdbEnvironment> {
    this.assertOpen();
    this.#environment ??= openLmdb(this.#path);
    const environment = await this.#environment;
    this.assertOpen();
    // Else reads of one turn of the event loop would all see the state at its first.
    environment.root.resetReadTxn();
    return environment;
  }

  /** @throws StoreError `unavailable` where it cannot be written, or others hold the lock for too long. */
  async transaction<T>(work: (environment: LmdbEnvironment) => T): Promise<T> {
    const environment = await this.open();
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      const error = new StoreError('unavailable', `The store at ${this.#path} is locked by another process.`);
      timer = setTimeout(() => reject(error), TRANSACTION_TIMEOUT_MILLIS);
    });
    try {
      return await Promise.race([environment.root.transaction(() => work(environment)), timeout]);
    } catch (error) {
      if (error instanceof StoreError) throw error;
      this.assertOpen();
      const reason = error instanceof Error ? error.message : String(error);
      throw new StoreError('unavailable', `The store at ${this.#path} cannot be written: ${reason}`, {
        cause: error,
      });
    } finally {
      clearTimeout(timer);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const environment = await this.#environment?.catch(() => undefined);
    await environment?.root.close();
  }
}

const TRANSACTION_TIMEOUT_MILLIS = 1_800;
