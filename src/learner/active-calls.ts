import { compareUtf8 } from '../model/utf8.ts';

/** A tool name as a learner knows it. The two random numbers, summed over a multiset, tell it from any other. */
export interface KnownName {
  readonly name: string;
  readonly low: number;
  readonly high: number;
  /** How many active calls have it. */
  active: number;
  /** Where it stands among the names that are active. */
  place: number;
}

/**
 * The calls that are running at the moment a sweep has reached: who leaves next, and the names as a multiset, with a
 * signature by which the same multiset is known again at once.
 */
export class ActiveCalls {
  size = 0;
  low = 0;
  high = 0;
  // The lists are never cut: what stands beyond the counts is of an earlier moment.
  readonly #names: KnownName[] = [];
  #nameCount = 0;
  /** A heap: the earliest end is first. Both lists belong together. */
  readonly #ends: number[] = [];
  readonly #ending: KnownName[] = [];

  /** When the next call leaves; infinite where there is none. */
  get nextEnd(): number {
    return this.size === 0 ? Number.POSITIVE_INFINITY : (this.#ends[0] as number);
  }

  add(name: KnownName, end: number): void {
    if (name.active++ === 0) {
      name.place = this.#nameCount;
      this.#names[this.#nameCount++] = name;
    }
    this.low = (this.low + name.low) | 0;
    this.high = (this.high + name.high) | 0;
    this.#push(name, end);
  }

  /** Takes out the call that ends first; there must be one. */
  removeNext(): void {
    const name = this.#ending[0] as KnownName;
    this.low = (this.low - name.low) | 0;
    this.high = (this.high - name.high) | 0;
    if (--name.active === 0) {
      const last = this.#names[--this.#nameCount] as KnownName;
      last.place = name.place;
      this.#names[name.place] = last;
    }
    this.#pop();
  }

  clear(): void {
    for (let i = 0; i < this.#nameCount; i++) (this.#names[i] as KnownName).active = 0;
    this.#nameCount = this.size = this.low = this.high = 0;
  }

  /** The names, sorted by UTF-8 bytes, each as often as it is active. */
  sortedNames(): readonly string[] {
    const sorted = this.#names.slice(0, this.#nameCount).sort((a, b) => compareUtf8(a.name, b.name));
    return sorted.flatMap(({ name, active }) => (active === 1 ? name : Array<string>(active).fill(name)));
  }

  #push(name: KnownName, end: number): void {
    const ends = this.#ends;
    const ending = this.#ending;
    let at = this.size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const parentEnd = ends[parent] as number;
      if (parentEnd <= end) break;
      ends[at] = parentEnd;
      ending[at] = ending[parent] as KnownName;
      at = parent;
    }
    ends[at] = end;
    ending[at] = name;
  }

  #pop(): void {
    const ends = this.#ends;
    const ending = this.#ending;
    const size = --this.size;
    const end = ends[size] as number;
    const name = ending[size] as KnownName;
    let at = 0;
    for (let child = 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && (ends[child + 1] as number) < (ends[child] as number)) child++;
      if ((ends[child] as number) >= end) break;
      ends[at] = ends[child] as number;
      ending[at] = ending[child] as KnownName;
      at = child;
    }
    ends[at] = end;
    ending[at] = name;
  }
}
