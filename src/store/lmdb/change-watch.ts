import { ChangeListeners } from '../change-listeners.ts';
import type { PlanChange } from '../plan-store.ts';
import type { LmdbEnvironment } from './lmdb-environment.ts';

/**
 * Tells subscribers of plan changes: those of this store at once, those of other processes by looking now and then
 * at one number, which grows with each change of any plan.
 */
export class ChangeWatch {
  readonly #open: () => Promise<LmdbEnvironment>;
  readonly #pollMillis: number;
  readonly #listeners = new ChangeListeners();
  /** Numbers of our own changes that the next look would find again. */
  readonly #own = new Set<number>();
  #seen: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(open: () => Promise<LmdbEnvironment>, pollMillis: number) {
    this.#open = open;
    this.#pollMillis = pollMillis;
  }

  add(listener: (change: PlanChange) => void): () => void {
    const leave = this.#listeners.add(listener);
    this.#timer ??= setInterval(() => this.#look(), this.#pollMillis).unref();
    if (this.#seen === undefined) void this.#look();
    return () => {
      leave();
      if (this.#listeners.size === 0) this.#pause();
    };
  }

  /** Notes a change, inside the write transaction that makes it. */
  record({ changes }: LmdbEnvironment, agent: string, change: PlanChange): void {
    const version = Number(changes.get(VERSION) ?? 0) + 1;
    changes.putSync(VERSION, String(version));
    changes.putSync(agent, JSON.stringify({ ...change, version }));
    if (this.#timer !== undefined) this.#own.add(version);
  }

  /** Tells of a change of our own once it is committed. */
  tell(change: PlanChange): void {
    this.#listeners.notify(change);
  }

  stop(): void {
    this.#listeners.clear();
    this.#pause();
  }

  #pause(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#seen = undefined;
    this.#own.clear();
  }

  async #look(): Promise<void> {
    let changes: LmdbEnvironment['changes'];
    try {
      ({ changes } = await this.#open());
    } catch {
      return; // closed, or cannot be opened: whoever uses the store is told
    }
    if (this.#timer === undefined) return;
    const version = Number(changes.get(VERSION) ?? 0);
    const seen = this.#seen;
    this.#seen = version;
    if (seen === undefined || version <= seen) return;
    for (const { key, value } of changes.getRange()) {
      if (key === VERSION) continue;
      const change = JSON.parse(value) as PlanChange & { readonly version: number };
      if (change.version <= seen || this.#own.has(change.version)) continue;
      this.#listeners.notify({ agentId: change.agentId, revision: change.revision });
    }
    for (const own of this.#own) if (own <= version) this.#own.delete(own);
  }
}

const VERSION = 'version';
