import { tell } from '../support/tell.ts';
import { changeBytes } from './change-bytes.ts';
import { type PlanStore, type RunChange, StoreError } from './plan-store.ts';
import { type Entry, type Item, isStuck, type Lane, type Outage } from './write-lane.ts';
import {
  DEFAULT_WRITE_QUEUE_OPTIONS,
  type WriteObserver,
  type WriteOutcome,
  type WriteQueueOptions,
} from './write-queue-options.ts';

/**
 * Changes on their way into a store. Bounded, never throws, never waits.
 *
 *     enqueue → lane of the agent → one batch in flight per lane → settled
 *                    ↑                         │
 *                    └── unavailable, conflict, corrupt_plan: again after a growing wait
 *
 * While the store is unavailable all lanes pause and one at a time tries it. Other failures hold up their own lane only.
 */
export class WriteQueue<Token = undefined> {
  readonly #store: PlanStore;
  readonly #options: Required<Omit<WriteQueueOptions<Token>, 'observer'>>;
  readonly #observer: WriteObserver<Token>;
  readonly #lanes = new Map<string, Lane<Token>>();
  /** Lanes that may be written now, in the order they became so. */
  readonly #ready = new Set<Lane<Token>>();
  /** All items not settled, oldest first. */
  readonly #items = new Set<Item<Token>>();
  readonly #waiters = new Set<() => void>();
  #bytes = 0;
  #inFlight = 0;
  #sequence = 0;
  #outage: Outage | undefined;
  #isShedding = false;
  #closed = false;

  /** @throws RangeError where an option is not a whole number of at least 1. */
  constructor(store: PlanStore, options: WriteQueueOptions<Token> = {}) {
    const { observer = {}, ...bounds } = options;
    this.#store = store;
    this.#observer = observer;
    this.#options = { ...DEFAULT_WRITE_QUEUE_OPTIONS, ...bounds };
    for (const [name, value] of Object.entries(this.#options)) {
      if (!Number.isSafeInteger(value) || value < 1) {
        throw new RangeError(`${name} must be a whole number of at least 1, not ${String(value)}`);
      }
    }
  }

  /** Changes that wait or are being written. */
  get size(): number {
    return this.#items.size;
  }

  /**
   * Whether it is filled faster than a store that works takes it. Whoever can hold back should do so for so long: past
   * its bounds it drops. While the store does not work, holding back helps nobody.
   */
  get isBehind(): boolean {
    return !this.#hasRoom && this.#outage === undefined && !this.#isClogged;
  }

  /** Whether it is, with so many changes that wait outside, so near to its bounds that further ones may push out others. */
  isFull(outside = 0): boolean {
    const { maxQueuedRuns, maxQueuedBytes } = this.#options;
    const hasRoom =
      (this.#items.size + outside) * 4 < maxQueuedRuns * 3 && this.#bytes * 4 < maxQueuedBytes * 3;
    return !hasRoom && (this.#outage !== undefined || !this.#isClogged);
  }

  /** Whether what fills it waits for a few agents whose plans cannot be written: that may be for ever. */
  get #isClogged(): boolean {
    let stuck = 0;
    for (const { failures, waiting } of this.#lanes.values()) if (failures > 0) stuck += waiting.size;
    return stuck > 0 && stuck * 2 >= this.#items.size;
  }

  get #hasRoom(): boolean {
    return (
      this.#items.size * 2 < this.#options.maxQueuedRuns && this.#bytes * 2 < this.#options.maxQueuedBytes
    );
  }

  /** Roughly the memory they take. */
  get bytes(): number {
    return this.#bytes;
  }

  enqueue(agentId: string, change: RunChange, token: Token): void {
    const entry = { change, token };
    if (this.#closed) {
      this.#tell(entry, { dropped: 'shutdown' });
      return;
    }
    const lane = this.#laneOf(agentId);
    const waiting = lane.waiting.get(change.runId);
    const bytes = changeBytes(change);
    this.#bytes += bytes;
    if (waiting === undefined) {
      const item = { lane, change, entries: [entry], bytes, sequence: this.#sequence++, inFlight: false };
      lane.waiting.set(change.runId, item);
      this.#items.add(item);
    } else {
      this.#replace(waiting, [entry], change, bytes);
    }
    this.#shed();
    this.#wake(lane);
    this.#pump();
  }

  /**
   * Waits until all that is queued now is settled, or `timeoutMillis` have passed. What waits for a retry is tried at
   * once; what then still waits for a plan to be repaired is waited for no longer. Never rejects.
   */
  async drain(timeoutMillis: number): Promise<void> {
    if (this.#items.size === 0) return;
    const newest = this.#sequence - 1;
    this.#retryNow();
    await new Promise<void>((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        this.#waiters.delete(check);
        resolve();
      };
      const check = () => {
        for (const { sequence, lane } of this.#items) {
          if (sequence > newest) break;
          if (!isStuck(lane)) return;
        }
        finish();
      };
      // Not unref'ed: someone awaits this, and it ends by itself.
      const timer = setTimeout(finish, timeoutMillis);
      this.#waiters.add(check);
      check();
    });
  }

  /** Drains, then drops what is left. Changes enqueued later are dropped too. Idempotent. */
  async close(timeoutMillis: number): Promise<void> {
    await this.drain(timeoutMillis);
    this.#closed = true;
    clearTimeout(this.#outage?.timer);
    for (const lane of this.#lanes.values()) clearTimeout(lane.timer);
    for (const item of this.#items) this.#settle(item, { dropped: 'shutdown' });
    this.#lanes.clear();
    this.#ready.clear();
  }

  #laneOf(agentId: string): Lane<Token> {
    const known = this.#lanes.get(agentId);
    if (known !== undefined) return known;
    const lane = {
      agentId,
      waiting: new Map(),
      busy: false,
      failures: 0,
      isCorrupt: false,
      timer: undefined,
    };
    this.#lanes.set(agentId, lane);
    return lane;
  }

  /** Lets a waiting item carry further changes of its run; only the latest revision will be written. */
  #replace(item: Item<Token>, entries: readonly Entry<Token>[], change: RunChange, bytes: number): void {
    item.entries.push(...entries);
    // Replaced revisions are held too, until all are told the outcome.
    item.bytes += bytes;
    if (change.revision > item.change.revision) item.change = change;
  }

  #shed(): void {
    const { maxQueuedRuns, maxQueuedBytes } = this.#options;
    if (this.#hasRoom) this.#isShedding = false;
    if (this.#items.size <= maxQueuedRuns && this.#bytes <= maxQueuedBytes) return;
    for (const item of this.#items) {
      if (this.#items.size <= maxQueuedRuns && this.#bytes <= maxQueuedBytes) return;
      if (item.inFlight) continue;
      if (!this.#isShedding)
        tell.warn('spanplan: the write queue is full; the oldest runs waiting are dropped');
      this.#isShedding = true;
      const { lane } = item;
      lane.waiting.delete(item.change.runId);
      if (lane.waiting.size === 0 && !lane.busy) this.#retire(lane);
      this.#settle(item, { dropped: 'queue_full' });
    }
  }

  #wake(lane: Lane<Token>): void {
    if (!lane.busy && lane.timer === undefined && lane.waiting.size > 0) this.#ready.add(lane);
  }

  #pump(): void {
    for (const lane of this.#ready) {
      if (this.#outage !== undefined && (this.#outage.timer !== undefined || this.#inFlight > 0)) return;
      if (this.#inFlight >= this.#options.maxAgentsInFlight) return;
      this.#ready.delete(lane);
      if (lane.waiting.size > 0) void this.#write(lane);
    }
  }

  async #write(lane: Lane<Token>): Promise<void> {
    const batch = [...lane.waiting.values()].slice(0, this.#options.maxBatchRuns);
    for (const item of batch) {
      item.inFlight = true;
      lane.waiting.delete(item.change.runId);
    }
    lane.busy = true;
    this.#inFlight++;
    const started = performance.now();
    const changes = batch.map((item) => item.change);
    try {
      const outcome = await this.#store.apply(lane.agentId, changes);
      this.#recovered(lane);
      this.#observe(() => this.#observer.wrote?.(lane.agentId, outcome, performance.now() - started));
      const duplicates = new Set(outcome.duplicateRunIds);
      for (const item of batch)
        this.#settle(item, duplicates.has(item.change.runId) ? 'duplicate' : 'learned');
    } catch (error) {
      this.#failed(lane, batch, error);
    }
    lane.busy = false;
    this.#inFlight--;
    if (this.#closed) return;
    this.#wake(lane);
    if (lane.waiting.size === 0) this.#retire(lane);
    this.#pump();
  }

  #retire(lane: Lane<Token>): void {
    clearTimeout(lane.timer);
    this.#ready.delete(lane);
    this.#lanes.delete(lane.agentId);
  }

  #recovered(lane: Lane<Token>): void {
    if (this.#outage !== undefined) tell.info('spanplan: the store is available again');
    this.#outage = undefined;
    if (lane.failures > 0)
      tell.info(`spanplan: runs of agent ${JSON.stringify(lane.agentId)} are written again`);
    lane.failures = 0;
    lane.isCorrupt = false;
  }

  #failed(lane: Lane<Token>, batch: readonly Item<Token>[], error: unknown): void {
    const code = error instanceof StoreError ? error.code : 'error';
    this.#observe(() => this.#observer.failed?.(lane.agentId, code));
    if (code === 'agent_limit' || code === 'closed') {
      // The store did answer, so an outage is over.
      if (code === 'agent_limit') this.#recovered(lane);
      for (const item of batch) this.#settle(item, { dropped: code === 'closed' ? 'shutdown' : code });
      return;
    }
    this.#putBack(lane, batch);
    if (this.#closed) return;
    lane.isCorrupt = code === 'corrupt_plan';
    if (code === 'unavailable') this.#pause(error);
    else this.#delay(lane, error);
  }

  /** Returns a failed batch to its lane, before what came in the meantime. */
  #putBack(lane: Lane<Token>, batch: readonly Item<Token>[]): void {
    const newer = [...lane.waiting.values()];
    lane.waiting.clear();
    for (const item of batch) {
      item.inFlight = false;
      if (this.#items.has(item)) lane.waiting.set(item.change.runId, item);
    }
    for (const item of newer) {
      const older = lane.waiting.get(item.change.runId);
      if (older === undefined) {
        lane.waiting.set(item.change.runId, item);
      } else {
        this.#items.delete(item);
        this.#replace(older, item.entries, item.change, item.bytes);
      }
    }
  }

  #pause(error: unknown): void {
    if (this.#outage === undefined)
      tell.warn('spanplan: the store is unavailable; runs wait', messageOf(error));
    else if (this.#outage.timer !== undefined) return; // a write that had begun before the pause
    const failures = (this.#outage?.failures ?? 0) + 1;
    const outage: Outage = { failures, timer: undefined };
    outage.timer = this.#after(failures, () => {
      outage.timer = undefined;
      this.#pump();
    });
    this.#outage = outage;
  }

  #delay(lane: Lane<Token>, error: unknown): void {
    if (lane.failures === 0) {
      tell.warn(`spanplan: runs of agent ${JSON.stringify(lane.agentId)} wait`, messageOf(error));
    }
    lane.failures++;
    lane.timer = this.#after(lane.failures, () => {
      lane.timer = undefined;
      this.#wake(lane);
      this.#pump();
    });
    this.#checkWaiters();
  }

  #after(failures: number, then: () => void): NodeJS.Timeout {
    const { minRetryMillis, maxRetryMillis } = this.#options;
    const longest = Math.min(maxRetryMillis, minRetryMillis * 2 ** Math.min(failures, 30));
    return setTimeout(then, longest * (0.5 + Math.random() / 2)).unref();
  }

  #retryNow(): void {
    if (this.#outage !== undefined) {
      clearTimeout(this.#outage.timer);
      this.#outage.timer = undefined;
    }
    for (const lane of this.#lanes.values()) {
      clearTimeout(lane.timer);
      lane.timer = undefined;
      this.#wake(lane);
    }
    this.#pump();
  }

  /** Does nothing for an item that was settled before, as one in flight may be at close. */
  #settle(item: Item<Token>, outcome: WriteOutcome): void {
    if (!this.#items.delete(item)) return;
    this.#bytes -= item.bytes;
    for (const entry of item.entries) this.#tell(entry, outcome);
    this.#checkWaiters();
  }

  #checkWaiters(): void {
    for (const check of [...this.#waiters]) check();
  }

  #tell({ change, token }: Entry<Token>, outcome: WriteOutcome): void {
    this.#observe(() => this.#observer.settled?.(change, outcome, token));
  }

  #observe(call: () => void): void {
    try {
      call();
    } catch (error) {
      tell.error('spanplan: an observer of the write queue threw', error);
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
