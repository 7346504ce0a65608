import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from '../../support/error-code.ts';

/**
 * A file that stands in a directory while a process opens or closes the LMDB environment there. LMDB alone lets two
 * things happen between processes:
 *
 * - Opening reads which commit is the newest, and somewhat later declares that one the newest for all. A commit of
 *   another process that falls between is overwritten by the next one (ITS#9496). So nobody writes while this is held.
 * - Closing destroys the locks if nobody else has the environment open. Who opens it just then gets them destroyed,
 *   and can never write. So one opens or closes at a time.
 *
 * The file of a process that was killed meanwhile is removed by whoever saw it unchanged for 5 s.
 */
export class OpeningLock {
  readonly #file: string;
  /** What shows that it is ours, as long as it is. */
  #mine: string | undefined;
  #seen: { readonly owner: string; readonly since: number } | undefined;

  /** @param directory one that is there. */
  constructor(directory: string) {
    this.#file = join(directory, 'opening.lock');
  }

  /** Whether anybody has it. */
  get isHeld(): boolean {
    return existsSync(this.#file);
  }

  /**
   * @returns what shows that it is ours, or undefined where others had it for `patienceMillis`.
   * @throws Error of the system where the file cannot be made.
   */
  async acquire(patienceMillis: number): Promise<string | undefined> {
    const owner = newOwner();
    const end = performance.now() + patienceMillis;
    while (!this.#create(owner)) {
      if (performance.now() >= end) return undefined;
      this.removeStale();
      await sleep(RETRY_MILLIS);
    }
    this.#mine = owner;
    return owner;
  }

  /**
   * The same while the event loop stands still, for good: what of ours has it goes no further, so it is had already.
   * Never throws: undefined, too, where the file cannot be made.
   */
  acquireNow(patienceMillis: number): string | undefined {
    const owner = newOwner();
    const end = performance.now() + patienceMillis;
    try {
      if (this.#mine !== undefined && this.isOwnedBy(this.#mine)) return this.#mine;
      while (!this.#create(owner)) {
        if (performance.now() >= end) return undefined;
        Atomics.wait(NEVER, 0, 0, 1);
      }
      return owner;
    } catch {
      return undefined;
    }
  }

  /** False where others took it for stale, because we had it for so long. */
  isOwnedBy(owner: string): boolean {
    return this.#owner() === owner;
  }

  release(owner: string): void {
    if (this.#mine === owner) this.#mine = undefined;
    if (this.isOwnedBy(owner)) rmSync(this.#file, { force: true });
  }

  /** To be called now and then by whoever waits: it takes two looks to tell. Clocks that are set do not mislead it. */
  removeStale(): void {
    const owner = this.#owner();
    const now = performance.now();
    if (owner === undefined || owner !== this.#seen?.owner) {
      this.#seen = owner === undefined ? undefined : { owner, since: now };
    } else if (now - this.#seen.since >= STALE_MILLIS) {
      rmSync(this.#file, { force: true });
    }
  }

  #create(owner: string): boolean {
    try {
      writeFileSync(this.#file, owner, { flag: 'wx', mode: 0o600 });
      return true;
    } catch (error) {
      if (errorCode(error) === 'EEXIST') return false;
      throw error;
    }
  }

  #owner(): string | undefined {
    try {
      return readFileSync(this.#file, 'utf8');
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }
}

function newOwner(): string {
  return `${process.pid} ${randomUUID()}`;
}

const NEVER = new Int32Array(new SharedArrayBuffer(4));
const RETRY_MILLIS = 5;
const STALE_MILLIS = 5_000;
