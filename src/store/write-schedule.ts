import { tell } from '../support/tell.ts';
import { messageOf } from '../support/told-error.ts';
import { RetryWait } from './retry-wait.ts';
import { type HeldUp, WriteLane } from './write-lane.ts';
import type { WriteQueueBounds } from './write-queue-options.ts';

/**
 * Says which lane is written when: so many at once, each in its turn. While the store is unavailable all pause and one
 * at a time tries it; any other failure holds up its own lane only.
 */
export class WriteSchedule<Token> {
  readonly #bounds: WriteQueueBounds;
  readonly #heldUp: HeldUp;
  readonly #write: (lane: WriteLane<Token>) => void;
  readonly #lanes = new Map<string, WriteLane<Token>>();
  /** Lanes that may be written now, in the order they became so. */
  readonly #ready = new Set<WriteLane<Token>>();
  /** From a failure of the store until it answers. */
  #outage: RetryWait | undefined;
  #inFlight = 0;
  #ended = false;

  /**
   * @param heldUp is kept up to date.
   * @param write takes from the lane at once, and calls `finished` in the end.
   */
  constructor(bounds: WriteQueueBounds, heldUp: HeldUp, write: (lane: WriteLane<Token>) => void) {
    this.#bounds = bounds;
    this.#heldUp = heldUp;
    this.#write = write;
  }

  get isOutage(): boolean {
    return this.#outage !== undefined;
  }

  laneOf(agentId: string): WriteLane<Token> {
    const known = this.#lanes.get(agentId);
    if (known !== undefined) return known;
    const lane = new WriteLane<Token>(agentId, this.#heldUp);
    this.#lanes.set(agentId, lane);
    return lane;
  }

  /** To be told of a lane that changes have come into. */
  filled(lane: WriteLane<Token>): void {
    this.#wake(lane);
    this.#pump();
  }

  /** To be told of a lane that changes were taken out of. */
  emptied(lane: WriteLane<Token>): void {
    if (!lane.isEmpty || lane.isBusy) return;
    lane.retry?.cutShort();
    this.#ready.delete(lane);
    this.#lanes.delete(lane.agentId);
  }

  /** The store has answered. */
  recovered(lane: WriteLane<Token>): void {
    if (this.#outage !== undefined) tell.info('spanplan: the store is available again');
    this.#outage = undefined;
    if (lane.retry !== undefined) tell.info(`spanplan: runs of ${nameOf(lane)} are written again`);
    lane.release();
  }

  /** Pauses all lanes. */
  pause(error: unknown): void {
    if (this.#outage === undefined)
      tell.warn('spanplan: the store is unavailable; runs wait', messageOf(error));
    else if (this.#outage.isWaiting) return; // a write that had begun before the pause
    this.#outage ??= new RetryWait(this.#bounds, () => this.#pump());
    this.#outage.begin();
  }

  /** Holds up one lane. */
  delay(lane: WriteLane<Token>, error: unknown): void {
    let { retry } = lane;
    if (retry === undefined) {
      tell.warn(`spanplan: runs of ${nameOf(lane)} wait`, messageOf(error));
      retry = new RetryWait(this.#bounds, () => this.filled(lane));
      lane.holdUp(retry);
    }
    retry.begin();
  }

  /** A write has ended, well or not. */
  finished(lane: WriteLane<Token>): void {
    lane.isBusy = false;
    this.#inFlight--;
    if (this.#ended) return;
    this.#wake(lane);
    this.emptied(lane);
    this.#pump();
  }

  /** Cuts all waits short. */
  retryNow(): void {
    this.#outage?.cutShort();
    for (const lane of this.#lanes.values()) {
      lane.retry?.cutShort();
      this.#wake(lane);
    }
    this.#pump();
  }

  end(): void {
    this.#ended = true;
    this.#outage?.cutShort();
    for (const lane of this.#lanes.values()) lane.end();
    this.#lanes.clear();
    this.#ready.clear();
  }

  #wake(lane: WriteLane<Token>): void {
    if (lane.isReady) this.#ready.add(lane);
  }

  #pump(): void {
    for (const lane of this.#ready) {
      if (this.#outage !== undefined && (this.#outage.isWaiting || this.#inFlight > 0)) return;
      if (this.#inFlight >= this.#bounds.maxAgentsInFlight) return;
      this.#ready.delete(lane);
      if (lane.isEmpty) continue;
      lane.isBusy = true;
      this.#inFlight++;
      this.#write(lane);
    }
  }
}

function nameOf(lane: WriteLane<unknown>): string {
  return `agent ${JSON.stringify(lane.agentId)}`;
}
