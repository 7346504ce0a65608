import { realpathSync } from 'node:fs';
import { makeDirectory } from '../../support/make-directory.ts';
import { messageOf } from '../../support/told-error.ts';
import { StoreError } from '../plan-store.ts';
import { closeLmdb, type LmdbEnvironment, openLmdb } from './lmdb-environment.ts';

/**
 * The use of a directory's environment, which all stores of this process on that directory share. With one each,
 * opening the second would block the event loop for LMDB's write lock, while the first, which holds it, waits for the
 * event loop to say what to write.
 */
export class EnvironmentLease {
  readonly environment: LmdbEnvironment;
  readonly #shared: SharedEnvironment;

  private constructor(environment: LmdbEnvironment, shared: SharedEnvironment) {
    this.environment = environment;
    this.#shared = shared;
  }

  /** @throws StoreError `unavailable` where LMDB is not installed or the directory cannot be used. */
  static async take(path: string): Promise<EnvironmentLease> {
    try {
      makeDirectory(path);
      const shared = sharedOf(realpathSync(path));
      return new EnvironmentLease(await shared.enter(), shared);
    } catch (error) {
      if (error instanceof StoreError) throw error;
      const reason = messageOf(error);
      throw new StoreError('unavailable', `The store at ${path} cannot be opened: ${reason}`, {
        cause: error,
      });
    }
  }

  /** To be called once. The last to leave closes the environment. */
  release(): Promise<void> {
    return this.#shared.leave();
  }
}

/** Opens and closes in turn, so that who comes while it is being closed gets a new one. */
class SharedEnvironment {
  readonly #path: string;
  #users = 0;
  #environment: LmdbEnvironment | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  async enter(): Promise<LmdbEnvironment> {
    this.#users++;
    try {
      return await this.#inTurn(async () => {
        this.#environment ??= await openLmdb(this.#path);
        return this.#environment;
      });
    } catch (error) {
      await this.leave();
      throw error;
    }
  }

  async leave(): Promise<void> {
    this.#users--;
    await this.#inTurn(async () => {
      if (this.#users > 0) return;
      const environment = this.#environment;
      this.#environment = undefined;
      if (environment !== undefined) await closeLmdb(environment);
      if (this.#users === 0) shared.delete(this.#path);
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }
}

/** By the real path of the directory. */
const shared = new Map<string, SharedEnvironment>();

function sharedOf(path: string): SharedEnvironment {
  const known = shared.get(path);
  if (known !== undefined) return known;
  const environment = new SharedEnvironment(path);
  shared.set(path, environment);
  return environment;
}
