/**
 * A map of which every change makes a new version and leaves the old one as it was, at the cost of the change and not
 * of the map: the version used last holds the entries, an older one what to undo. So a writer can compute what would be,
 * and go on from what was where the write comes to nothing.
 */
export class VersionedMap<Value> implements ReadonlyMap<string, Value> {
  readonly size: number;
  /** Undefined while another version holds the entries. */
  #entries: Map<string, Value> | undefined;
  #nearer: { readonly version: VersionedMap<Value>; readonly undo: Changes<Value> } | undefined;

  private constructor(entries: Map<string, Value>) {
    this.#entries = entries;
    this.size = entries.size;
  }

  static of<Value>(map: ReadonlyMap<string, Value>): VersionedMap<Value> {
    return map instanceof VersionedMap ? map : new VersionedMap(new Map(map));
  }

  /** @param changes where the value is undefined the entry goes. */
  with(changes: Changes<Value>): VersionedMap<Value> {
    if (changes.size === 0) return this;
    const entries = this.#held();
    const undo = exchange(entries, changes);
    const next = new VersionedMap(entries);
    this.#entries = undefined;
    this.#nearer = { version: next, undo };
    return next;
  }

  get(key: string): Value | undefined {
    return this.#held().get(key);
  }

  has(key: string): boolean {
    return this.#held().has(key);
  }

  keys(): MapIterator<string> {
    return this.#held().keys();
  }

  values(): MapIterator<Value> {
    return this.#held().values();
  }

  entries(): MapIterator<[string, Value]> {
    return this.#held().entries();
  }

  [Symbol.iterator](): MapIterator<[string, Value]> {
    return this.#held().entries();
  }

  forEach(call: (value: Value, key: string, map: ReadonlyMap<string, Value>) => void): void {
    for (const [key, value] of this.#held()) call(value, key, this);
  }

  /** Takes the entries over from the version that holds them. */
  #held(): Map<string, Value> {
    if (this.#entries !== undefined) return this.#entries;
    const path: VersionedMap<Value>[] = [];
    let at: VersionedMap<Value> = this;
    while (at.#nearer !== undefined) {
      path.push(at);
      at = at.#nearer.version;
    }
    const entries = at.#entries ?? new Map<string, Value>();
    for (const version of path.reverse()) {
      const undo = version.#nearer?.undo ?? new Map();
      at.#nearer = { version, undo: exchange(entries, undo) };
      at.#entries = undefined;
      version.#nearer = undefined;
      at = version;
    }
    this.#entries = entries;
    return entries;
  }
}

type Changes<Value> = ReadonlyMap<string, Value | undefined>;

/** Makes the changes. @returns what takes them back. */
function exchange<Value>(entries: Map<string, Value>, changes: Changes<Value>): Changes<Value> {
  const undo = new Map<string, Value | undefined>();
  for (const [key, value] of changes) {
    undo.set(key, entries.get(key));
    if (value === undefined) entries.delete(key);
    else entries.set(key, value);
  }
  return undo;
}
