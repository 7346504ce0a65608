import type { OpeningLock } from './opening-lock.ts';

/**
 * LMDB closes what is open when the process ends, and that too must be done by one process at a time: a process that opens
 * the environment in that moment can never write to it, nor can those that open it later, for as long as that one runs.
 * (Of three and more environments LMDB 3.5 closes some after all listeners, and so without the lock.)
 */
class LockAtExit {
  readonly #locks = new Set<OpeningLock>();
  readonly #taken = new Map<OpeningLock, string>();
  #isWatching = false;

  /** To be called after LMDB has opened the environment: its listener must come after our first and before our second. */
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
    const end = performance.now() + PATIENCE_MILLIS;
    for (const lock of this.#locks) {
      const owner = lock.acquireNow(end - performance.now());
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

/** For all together. An opening takes some milliseconds. */
const PATIENCE_MILLIS = 50;

export const lockAtExit = new LockAtExit();
