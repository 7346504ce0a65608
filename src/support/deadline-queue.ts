/**
 * A binary heap of items by the time at which they are to be looked at. An item may stand in it more than once; who
 * takes it out decides whether it is really due, so a deadline that moves later costs nothing. The times stand apart from
 * the items, as numbers that the collector of garbage does not walk.
 */
export class DeadlineQueue<T> {
  #items: T[] = [];
  /** Of the items; what stands beyond them is of no meaning. */
  #times = new Float64Array(MIN_PLACES);

  get size(): number {
    return this.#items.length;
  }

  push(item: T, at: number): void {
    let index = this.size;
    if (index === this.#times.length) this.#grow();
    const times = this.#times;
    while (index > 0) {
      const up = (index - 1) >> 1;
      const parent = times[up] ?? 0;
      if (parent <= at) break;
      this.#put(index, parent, this.#items[up] as T);
      index = up;
    }
    this.#put(index, at, item);
  }

  /** Takes out the earliest item that is due at `now`. */
  popDue(now: number): T | undefined {
    if (this.size === 0 || (this.#times[0] ?? 0) > now) return undefined;
    const first = this.#items[0];
    const last = this.#items.pop() as T;
    if (this.size > 0) this.#sink(this.#times[this.size] ?? 0, last);
    return first;
  }

  /** Drops all items but those that `isWanted`. */
  retain(isWanted: (item: T, at: number) => boolean): void {
    const kept: { readonly at: number; readonly item: T }[] = [];
    for (const [index, item] of this.#items.entries()) {
      const at = this.#times[index] ?? 0;
      if (isWanted(item, at)) kept.push({ at, item });
    }
    // A sorted list is a heap.
    kept.sort((a, b) => a.at - b.at);
    this.#items = kept.map(({ item }) => item);
    this.#times = new Float64Array(placesFor(kept.length));
    this.#times.set(kept.map(({ at }) => at));
  }

  clear(): void {
    this.#items = [];
    this.#times = new Float64Array(MIN_PLACES);
  }

  #put(index: number, at: number, item: T): void {
    this.#times[index] = at;
    this.#items[index] = item;
  }

  /** Puts what was taken from the end where it belongs from the first place on, which is free. */
  #sink(at: number, item: T): void {
    const times = this.#times;
    const { size } = this;
    let index = 0;
    for (let child = 1; child < size; child = 2 * index + 1) {
      if (child + 1 < size && (times[child + 1] ?? 0) < (times[child] ?? 0)) child++;
      const time = times[child] ?? 0;
      if (time >= at) break;
      this.#put(index, time, this.#items[child] as T);
      index = child;
    }
    this.#put(index, at, item);
  }

  #grow(): void {
    const times = new Float64Array(this.#times.length * 2);
    times.set(this.#times);
    this.#times = times;
  }
}

/** A power of two. */
const MIN_PLACES = 64;

function placesFor(size: number): number {
  return Math.max(MIN_PLACES, 2 ** Math.ceil(Math.log2(size + 1)));
}
