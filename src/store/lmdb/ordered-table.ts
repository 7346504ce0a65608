import { createHash } from 'node:crypto';
import type { Database } from 'lmdb';

/**
 * Texts by id within an owner, in the order in which they came, so that the oldest can be let go. Two tables of LMDB:
 * by owner and id, and by owner and place. To be changed inside a write transaction only.
 */
export class OrderedTable {
  readonly #byId: Database<string, string>;
  readonly #byPlace: Database<string, string>;

  constructor(byId: Database<string, string>, byPlace: Database<string, string>) {
    this.#byId = byId;
    this.#byPlace = byPlace;
  }

  get(owner: string, id: string): string | undefined {
    return this.#entry(idKey(owner, id))?.value;
  }

  /** All that came after `since`, oldest first. */
  *entries(owner: string, since: number): Iterable<readonly [id: string, value: string]> {
    for (const { value: key } of this.#byPlace.getRange(range(owner))) {
      const entry = this.#entry(key);
      if (entry !== undefined && entry.at > since) yield [entry.id, entry.value];
    }
  }

  /** What came last, after `since`, newest first. */
  *newest(owner: string, since: number): Iterable<string> {
    const { start, end } = range(owner);
    for (const { value: key } of this.#byPlace.getRange({ start: end, end: start, reverse: true })) {
      const entry = this.#entry(key);
      if (entry !== undefined && entry.at > since) yield entry.value;
    }
  }

  /** @param place whether an entry that is there already keeps its place and time, or becomes the newest. */
  put(owner: string, id: string, value: string, at: number, place: 'keep' | 'renew'): void {
    const key = idKey(owner, id);
    const known = this.#entry(key);
    const { count, last } = this.#tally(owner);
    if (known !== undefined && place === 'keep') {
      this.#byId.putSync(key, JSON.stringify({ ...known, value }));
      return;
    }
    if (known !== undefined) this.#byPlace.removeSync(placeKey(owner, known.place));
    const entry: Entry = { id, place: last + 1, at, value };
    this.#byId.putSync(key, JSON.stringify(entry));
    this.#byPlace.putSync(placeKey(owner, entry.place), key);
    this.#setTally(owner, { count: known === undefined ? count + 1 : count, last: entry.place });
  }

  remove(owner: string, id: string): void {
    const key = idKey(owner, id);
    const known = this.#entry(key);
    if (known !== undefined) this.#drop(owner, [[placeKey(owner, known.place), key]]);
  }

  /** Lets go of what came at `before` or earlier, and of the oldest over `max`. */
  trim(owner: string, max: number, before: number): void {
    let { count } = this.#tally(owner);
    const gone: [string, string][] = [];
    for (const { key: place, value: key } of this.#byPlace.getRange(range(owner))) {
      const entry = this.#entry(key);
      if (count <= max && entry !== undefined && entry.at > before) break;
      gone.push([place, key]);
      count--;
    }
    this.#drop(owner, gone);
  }

  clear(owner: string): void {
    this.trim(owner, 0, 0);
    this.#byId.removeSync(owner);
  }

  #drop(owner: string, gone: readonly (readonly [place: string, key: string])[]): void {
    if (gone.length === 0) return;
    for (const [place, key] of gone) {
      this.#byPlace.removeSync(place);
      this.#byId.removeSync(key);
    }
    const { count, last } = this.#tally(owner);
    this.#setTally(owner, { count: count - gone.length, last });
  }

  #entry(key: string): Entry | undefined {
    const json = this.#byId.get(key);
    return json === undefined ? undefined : (JSON.parse(json) as Entry);
  }

  #tally(owner: string): Tally {
    const json = this.#byId.get(owner);
    return json === undefined ? { count: 0, last: 0 } : (JSON.parse(json) as Tally);
  }

  #setTally(owner: string, tally: Tally): void {
    this.#byId.putSync(owner, JSON.stringify(tally));
  }
}

interface Entry {
  readonly id: string;
  readonly place: number;
  /** When it came, in milliseconds. */
  readonly at: number;
  readonly value: string;
}

interface Tally {
  readonly count: number;
  readonly last: number;
}

/** Ids may be of any length, keys of LMDB may not. */
function idKey(owner: string, id: string): string {
  return `${owner}/${createHash('sha256').update(id).digest('hex').slice(0, 32)}`;
}

function placeKey(owner: string, place: number): string {
  return `${owner}/${String(place).padStart(16, '0')}`;
}

/** All keys `<owner>/…`; `0` is the character after `/`. */
function range(owner: string): { readonly start: string; readonly end: string } {
  return { start: `${owner}/`, end: `${owner}0` };
}
