import type { ForwardItem } from './forward-item.ts';

/** What waits or is being sent, bounded in bytes. */
export class ForwardQueue {
  readonly #maxBytes: number;
  readonly #items = new Set<ForwardItem>();
  /** Those of them that nobody is sending, in order. */
  readonly #waiting = new Set<ForwardItem>();
  readonly #onEmpty = new Set<() => void>();
  #bytes = 0;
  /** What the last request needed, where it found no room. */
  #lacking: number | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get size(): number {
    return this.#items.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** One request of any size is let in, so that none is too large for ever. */
  admits(bytes: number): boolean {
    const hasRoom = this.#hasRoom(bytes);
    this.#lacking = hasRoom ? undefined : bytes;
    return hasRoom;
  }

  /** Whether the last request found no room, and would find none now. */
  get isFull(): boolean {
    return this.#lacking !== undefined && !this.#hasRoom(this.#lacking);
  }

  has(item: ForwardItem): boolean {
    return this.#items.has(item);
  }

  items(): readonly ForwardItem[] {
    return [...this.#items];
  }

  /** Counts an item that is being written or sent by whoever adds it. */
  add(item: ForwardItem): void {
    this.#items.add(item);
    this.#bytes += item.bytes;
  }

  /** Puts an item, new or not, at the end of the line. */
  enqueue(item: ForwardItem): void {
    if (!this.#items.has(item)) this.add(item);
    this.#waiting.add(item);
  }

  /** Takes the first of the line; it stays counted until it is removed. */
  next(): ForwardItem | undefined {
    const [first] = this.#waiting;
    if (first !== undefined) this.#waiting.delete(first);
    return first;
  }

  /** @returns false where it was removed before, as all are at close. */
  remove(item: ForwardItem): boolean {
    if (!this.#items.delete(item)) return false;
    this.#waiting.delete(item);
    this.#bytes -= item.bytes;
    if (this.#items.size === 0) for (const notify of [...this.#onEmpty]) notify();
    return true;
  }

  #hasRoom(bytes: number): boolean {
    return this.#bytes === 0 || this.#bytes + bytes <= this.#maxBytes;
  }

  /** Waits until nothing is left, or so many milliseconds have passed. */
  async whenEmpty(timeoutMillis: number): Promise<void> {
    if (this.#items.size === 0) return;
    await new Promise<void>((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        this.#onEmpty.delete(finish);
        resolve();
      };
      // Not unref'ed: someone awaits this, and it ends by itself.
      const timer = setTimeout(finish, timeoutMillis);
      this.#onEmpty.add(finish);
    });
  }
}
