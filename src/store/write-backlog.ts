import type { HeldUp, WriteItem } from './write-lane.ts';
import type { WriteQueueBounds } from './write-queue-options.ts';

/** The account of what is queued and not settled, oldest first: how much it is, and how near to its bounds. */
export class WriteBacklog<Token> {
  /** To be shared with all lanes, which count it. */
  readonly heldUp: HeldUp = { runs: 0 };
  readonly #bounds: WriteQueueBounds;
  readonly #items = new Set<WriteItem<Token>>();
  #bytes = 0;

  constructor(bounds: WriteQueueBounds) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#items.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isOver(): boolean {
    return this.#items.size > this.#bounds.maxQueuedRuns || this.#bytes > this.#bounds.maxQueuedBytes;
  }

  get isHalfFull(): boolean {
    return this.#reaches(1 / 2, 0);
  }

  /** @param outside changes that are about to come in. */
  isNearlyFull(outside: number): boolean {
    return this.#reaches(3 / 4, outside);
  }

  /** Whether it is mostly changes of agents whose plans cannot be written: that may be for ever. */
  get isClogged(): boolean {
    const { runs } = this.heldUp;
    return runs > 0 && runs * 2 >= this.#items.size;
  }

  /** Whether there is nothing else than changes of agents that a failure of their own holds up. */
  get isAllHeldUp(): boolean {
    return this.heldUp.runs >= this.#items.size;
  }

  /** @param bytes by which it has grown, where it was there before. */
  add(item: WriteItem<Token>, bytes: number): void {
    this.#items.add(item);
    this.#bytes += bytes;
  }

  /** @returns false where it was removed before. */
  remove(item: WriteItem<Token>): boolean {
    if (!this.#items.delete(item)) return false;
    this.#bytes -= item.bytes;
    return true;
  }

  /** Takes out one that has joined an older one, which takes the memory now. */
  forget(item: WriteItem<Token>): void {
    this.#items.delete(item);
  }

  /** What is removed or added in the meantime is left out or comes last. */
  [Symbol.iterator](): Iterator<WriteItem<Token>> {
    return this.#items.values();
  }

  #reaches(share: number, outside: number): boolean {
    const { maxQueuedRuns, maxQueuedBytes } = this.#bounds;
    return this.#items.size + outside >= maxQueuedRuns * share || this.#bytes >= maxQueuedBytes * share;
  }
}
