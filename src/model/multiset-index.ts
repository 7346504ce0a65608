/**
 * Answers whether any of many multisets of names contains a given one. It is only compared with those that have its
 * rarest name, so that thousands of groups are compared in milliseconds and not in seconds.
 */
export class MultisetIndex {
  readonly #byName = new Map<string, Multiset[]>();

  add(names: readonly string[]): void {
    const added = multisetOf(names);
    for (const name of added.counts.keys()) {
      const known = this.#byName.get(name);
      if (known === undefined) this.#byName.set(name, [added]);
      else known.push(added);
    }
  }

  /** Whether a multiset larger than `names` holds each of them at least as often. */
  holds(names: readonly string[]): boolean {
    const { size, counts } = multisetOf(names);
    return this.#candidates(counts).some((other) => other.size > size && contains(other.counts, counts));
  }

  #candidates(counts: Counts): readonly Multiset[] {
    let fewest: readonly Multiset[] | undefined;
    for (const name of counts.keys()) {
      const known = this.#byName.get(name);
      if (known === undefined) return [];
      if (fewest === undefined || known.length < fewest.length) fewest = known;
    }
    return fewest ?? [];
  }
}

type Counts = ReadonlyMap<string, number>;

interface Multiset {
  readonly size: number;
  readonly counts: Counts;
}

function multisetOf(names: readonly string[]): Multiset {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return { size: names.length, counts };
}

function contains(whole: Counts, part: Counts): boolean {
  for (const [name, count] of part) if ((whole.get(name) ?? 0) < count) return false;
  return true;
}
