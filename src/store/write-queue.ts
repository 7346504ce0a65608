import { tell } from '../support/tell.ts';
import { changeBytes } from './change-bytes.ts';
import { GuardedWriteObserver } from './guarded-write-observer.ts';
import { type PlanStore, type RunChange, StoreError } from './plan-store.ts';
import { Waiters } from './waiters.ts';
import { WriteBacklog } from './write-backlog.ts';
import type { WriteItem, WriteLane } from './write-lane.ts';
import { resolveWriteQueueBounds, type WriteOutcome, type WriteQueueOptions } from './write-queue-options.ts';
import { WriteSchedule } from './write-schedule.ts';

/**
 * Changes on their way into a store. Bounded, never throws, never waits.
 *
 *     enqueue → lane of the agent → one batch in flight per lane → settled
 *                    ↑                         │
 *                    └── unavailable, conflict, corrupt_plan: again after a growing wait
 *
 * The backlog says how much there is of it, the schedule what is written when.
 */
export class WriteQueue<Token = undefined> {
  readonly #store: PlanStore;
  readonly #maxBatchRuns: number;
  readonly #observer: GuardedWriteObserver<Token>;
  readonly #backlog: WriteBacklog<Token>;
  readonly #schedule: WriteSchedule<Token>;
  readonly #drains = new Waiters();
  #sequence = 0;
  #isShedding = false;
  #closed = false;

  /** @throws RangeError where an option is not a whole number of at least 1. */
  constructor(store: PlanStore, options: WriteQueueOptions<Token> = {}) {
    const { observer = {}, ...given } = options;
    const bounds = resolveWriteQueueBounds(given);
    this.#store = store;
    this.#maxBatchRuns = bounds.maxBatchRuns;
    this.#observer = new GuardedWriteObserver(observer);
    this.#backlog = new WriteBacklog(bounds);
    this.#schedule = new WriteSchedule(bounds, this.#backlog.heldUp, (lane) => void this.#write(lane));
  }

  /** Changes that wait or are being written. */
  get size(): number {
    return this.#backlog.size;
  }

  /** Roughly the memory they take. */
  get bytes(): number {
    return this.#backlog.bytes;
  }

  /**
   * Whether it is filled faster than a store that works takes it. Whoever can hold back should do so for so long: past
   * its bounds it drops. While the store does not work, holding back helps nobody.
   */
  get isBehind(): boolean {
    return this.#backlog.isHalfFull && !this.#schedule.isOutage && !this.#backlog.isClogged;
  }

  /** Whether it is, with so many changes that wait outside, so near to its bounds that further ones may push out others. */
  isFull(outside = 0): boolean {
    return this.#backlog.isNearlyFull(outside) && (this.#schedule.isOutage || !this.#backlog.isClogged);
  }

  enqueue(agentId: string, change: RunChange, token: Token): void {
    if (this.#closed) {
      this.#observer.settled(change, { dropped: 'shutdown' }, token);
      return;
    }
    const lane = this.#schedule.laneOf(agentId);
    const bytes = changeBytes(change);
    this.#backlog.add(lane.add({ change, token }, bytes, this.#sequence++), bytes);
    this.#shed();
    this.#schedule.filled(lane);
  }

  /**
   * Waits until all that is queued now is settled, or `timeoutMillis` have passed. What waits for a retry is tried at
   * once; what then still waits for a plan to be repaired is waited for no longer. Never rejects.
   */
  async drain(timeoutMillis: number): Promise<void> {
    if (this.#backlog.size === 0) return;
    const end = this.#sequence;
    this.#schedule.retryNow();
    await this.#drains.until(() => this.#isDrained(end), timeoutMillis);
  }

  /** Drains, then drops what is left. Changes enqueued later are dropped too. Idempotent. */
  async close(timeoutMillis: number): Promise<void> {
    await this.drain(timeoutMillis);
    this.#closed = true;
    this.#schedule.end();
    for (const item of this.#backlog) this.#settle(item, { dropped: 'shutdown' });
  }

  #shed(): void {
    if (!this.#backlog.isHalfFull) this.#isShedding = false;
    if (!this.#backlog.isOver) return;
    for (const item of this.#backlog) {
      if (!this.#backlog.isOver) return;
      if (item.inFlight) continue;
      if (!this.#isShedding)
        tell.warn('spanplan: the write queue is full; the oldest runs waiting are dropped');
      this.#isShedding = true;
      const { lane } = item;
      lane.drop(item);
      this.#schedule.emptied(lane);
      this.#settle(item, { dropped: 'queue_full' });
    }
  }

  async #write(lane: WriteLane<Token>): Promise<void> {
    const batch = lane.take(this.#maxBatchRuns);
    const started = performance.now();
    const changes = batch.map((item) => item.change);
    try {
      const outcome = await this.#store.apply(lane.agentId, changes);
      this.#schedule.recovered(lane);
      this.#observer.wrote(lane.agentId, outcome, performance.now() - started);
      const duplicates = new Set(outcome.duplicateRunIds);
      for (const item of batch)
        this.#settle(item, duplicates.has(item.change.runId) ? 'duplicate' : 'learned');
    } catch (error) {
      this.#failed(lane, batch, error);
    }
    this.#schedule.finished(lane);
  }

  #failed(lane: WriteLane<Token>, batch: readonly WriteItem<Token>[], error: unknown): void {
    const code = error instanceof StoreError ? error.code : 'error';
    this.#observer.failed(lane.agentId, code);
    if (code === 'agent_limit' || code === 'closed') {
      // The store did answer, so an outage is over.
      if (code === 'agent_limit') this.#schedule.recovered(lane);
      for (const item of batch) this.#settle(item, { dropped: code === 'closed' ? 'shutdown' : code });
      return;
    }
    if (this.#closed) return;
    for (const joined of lane.putBack(batch)) this.#backlog.forget(joined);
    lane.isCorrupt = code === 'corrupt_plan';
    if (code === 'unavailable') {
      this.#schedule.pause(error);
    } else {
      this.#schedule.delay(lane, error);
      this.#drains.check();
    }
  }

  /** @param end the sequence number of the first change that is not waited for. */
  #isDrained(end: number): boolean {
    // Spares a walk over all that is stuck with each of many that are.
    if (end === this.#sequence && !this.#backlog.isAllHeldUp) return false;
    for (const { sequence, lane } of this.#backlog) {
      if (sequence >= end) break;
      if (!lane.isStuck) return false;
    }
    return true;
  }

  /** Does nothing for an item that was settled before, as one in flight may be at close. */
  #settle(item: WriteItem<Token>, outcome: WriteOutcome): void {
    if (!this.#backlog.remove(item)) return;
    for (const { change, token } of item.entries) this.#observer.settled(change, outcome, token);
    this.#drains.check();
  }
}
