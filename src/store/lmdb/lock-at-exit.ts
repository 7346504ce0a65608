import type { OpeningLock } from './opening-lock.ts';

/**
 * LMDB closes what is open when the process ends. An environment that its user did not close is closed then, and that
 * too must be done by one process at a time: who opened it in that moment could never write, nor could those who came
 * after it, for as long as it runs.
 */
class LockAtExit {
  readonly #locks = new Set<OpeningLock>();
  readonly #taken = new Map<OpeningLock, string>();
  #isWatching = false;

  /** To be called when LMDB has opened the environment: whom it tells of the exit first is to be between our two. */
  add(lock: OpeningLock): void {
    this.#locks.add(lock);
    if (this.#isWatching) return;
    this.#isWatching = true;
    process.prependListener('exit', () => this.#take());
    process.on('exit', () => this.#giveBack());
  }

  delete(lock: OpeningLock): void {
    this.#locks.delete(lock);
  }

  #take(): void {
    for (const lock of this.#locks) {
      const owner = lock.acquireNow(PATIENCE_MILLIS);
      if (owner !== undefined) this.#taken.set(lock, owner);
    }
  }

  #giveBack(): void {
    for (const [lock, owner] of this.#taken) {
      try {
        lock.release(owner);
      } catch {
        // It is taken for stale in a while; the process is to end as its user meant it to.
      }
    }
  }
}

/** An opening takes some milliseconds. */
const PATIENCE_MILLIS = 50;

export const lockAtExit = new LockAtExit();
