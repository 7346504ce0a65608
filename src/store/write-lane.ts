import type { RunChange } from './plan-store.ts';
import type { RetryWait } from './retry-wait.ts';

/** The changes of one agent that wait to be written: at most one batch of them is in flight. */
export class WriteLane<Token> {
  readonly agentId: string;
  isBusy = false;
  /** The last write found a plan that cannot be read. */
  isCorrupt = false;
  readonly #heldUp: HeldUp;
  /** By run id, oldest first. */
  readonly #waiting = new Map<string, WriteItem<Token>>();
  #retry: RetryWait | undefined;

  /** @param heldUp is kept up to date with what waits here. */
  constructor(agentId: string, heldUp: HeldUp) {
    this.agentId = agentId;
    this.#heldUp = heldUp;
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  get isReady(): boolean {
    return !this.isBusy && !this.isEmpty && this.#retry?.isWaiting !== true;
  }

  /** Whether it waits for someone to repair the plan. */
  get isStuck(): boolean {
    return this.isCorrupt && this.#retry?.isWaiting === true;
  }

  /** Of a failure of its own that no write has come after. */
  get retry(): RetryWait | undefined {
    return this.#retry;
  }

  /** @returns what waits for the change's run, which may carry earlier changes of it. */
  add(entry: WriteEntry<Token>, bytes: number, sequence: number): WriteItem<Token> {
    const { change } = entry;
    const known = this.#waiting.get(change.runId);
    if (known !== undefined) {
      join(known, [entry], change, bytes);
      return known;
    }
    const item = { lane: this, change, entries: [entry], bytes, sequence, inFlight: false };
    this.#waiting.set(change.runId, item);
    this.#count(1);
    return item;
  }

  drop(item: WriteItem<Token>): void {
    if (this.#waiting.delete(item.change.runId)) this.#count(-1);
  }

  /** Takes out the oldest, to be written. */
  take(atMost: number): readonly WriteItem<Token>[] {
    const batch: WriteItem<Token>[] = [];
    for (const item of this.#waiting.values()) {
      if (batch.length === atMost) break;
      item.inFlight = true;
      this.#waiting.delete(item.change.runId);
      batch.push(item);
    }
    this.#count(-batch.length);
    return batch;
  }

  /**
   * Returns a batch that failed to its place, before what came in the meantime.
   * @returns those that came in the meantime and joined one of the batch.
   */
  putBack(batch: readonly WriteItem<Token>[]): readonly WriteItem<Token>[] {
    const newer = [...this.#waiting.values()];
    const joined: WriteItem<Token>[] = [];
    this.#waiting.clear();
    for (const item of batch) {
      item.inFlight = false;
      this.#waiting.set(item.change.runId, item);
    }
    for (const item of newer) {
      const older = this.#waiting.get(item.change.runId);
      if (older === undefined) {
        this.#waiting.set(item.change.runId, item);
      } else {
        join(older, item.entries, item.change, item.bytes);
        joined.push(item);
      }
    }
    this.#count(this.#waiting.size - newer.length);
    return joined;
  }

  holdUp(retry: RetryWait): void {
    this.#retry = retry;
    this.#count(this.#waiting.size);
  }

  release(): void {
    this.#count(-this.#waiting.size);
    this.#retry = undefined;
    this.isCorrupt = false;
  }

  /** Nothing of it will be written any more. */
  end(): void {
    this.#retry?.cutShort();
    this.#count(-this.#waiting.size);
    this.#waiting.clear();
  }

  #count(change: number): void {
    if (this.#retry !== undefined) this.#heldUp.runs += change;
  }
}

/** What waits in lanes that a failure of their own holds up; shared by all lanes of a queue. */
export interface HeldUp {
  runs: number;
}

/** One run that is to be written, with all changes that its latest revision stands for. */
export interface WriteItem<Token> {
  readonly lane: WriteLane<Token>;
  change: RunChange;
  readonly entries: WriteEntry<Token>[];
  bytes: number;
  readonly sequence: number;
  inFlight: boolean;
}

export interface WriteEntry<Token> {
  readonly change: RunChange;
  readonly token: Token;
}

/** Lets an item carry further changes of its run; only the latest revision will be written. */
function join<Token>(
  item: WriteItem<Token>,
  entries: readonly WriteEntry<Token>[],
  change: RunChange,
  bytes: number,
): void {
  item.entries.push(...entries);
  // Replaced revisions are held too, until all are told the outcome.
  item.bytes += bytes;
  if (change.revision > item.change.revision) item.change = change;
}
