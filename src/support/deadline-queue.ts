/**
 * A binary heap of items by the time at which they are to be looked at. An item may stand in it more than once; who
 * takes it out decides whether it is really due, so a deadline that moves later costs nothing.
 */
export class DeadlineQueue<T> {
  #heap: { readonly at: number; readonly item: T }[] = [];

  get size(): number {
    return this.#heap.length;
  }

  push(item: T, at: number): void {
    const heap = this.#heap;
    let index = heap.length;
    const entry = { at, item };
    heap.push(entry);
    while (index > 0) {
      const up = (index - 1) >> 1;
      const parent = heap[up];
      if (parent === undefined || parent.at <= at) break;
      heap[index] = parent;
      index = up;
    }
    heap[index] = entry;
  }

  /** Takes out the earliest item that is due at `now`. */
  popDue(now: number): T | undefined {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined || first.at > now) return undefined;
    const last = heap.pop();
    if (last !== undefined && heap.length > 0) this.#sink(last);
    return first.item;
  }

  /** Drops all items but those that `isWanted`. */
  retain(isWanted: (item: T, at: number) => boolean): void {
    // A sorted list is a heap.
    this.#heap = this.#heap.filter(({ item, at }) => isWanted(item, at)).sort((a, b) => a.at - b.at);
  }

  clear(): void {
    this.#heap.length = 0;
  }

  #sink(entry: { readonly at: number; readonly item: T }): void {
    const heap = this.#heap;
    let index = 0;
    for (;;) {
      const left = heap[2 * index + 1];
      const right = heap[2 * index + 2];
      const child = right !== undefined && left !== undefined && right.at < left.at ? right : left;
      if (child === undefined || child.at >= entry.at) break;
      heap[index] = child;
      index = child === left ? 2 * index + 1 : 2 * index + 2;
    }
    heap[index] = entry;
  }
}
