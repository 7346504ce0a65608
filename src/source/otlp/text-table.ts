/** The most bytes of a text in a TextTable. Longer ones hardly come again. */
export const MAX_TABLE_TEXT = 96;

/**
 * Makes strings of short UTF-8 texts, and of the same bytes the same string again, without decoding them: attribute
 * names, tool names and names of scopes come again and again. Bounded: a new text takes the place of an older one.
 */
export class TextTable {
  readonly #texts: string[] = new Array<string>(SLOTS).fill('');
  readonly #marks = new Uint8Array(SLOTS);
  readonly #lengths = new Int32Array(SLOTS).fill(-1);
  readonly #hashes = new Int32Array(SLOTS);
  readonly #words = new Int32Array(SLOTS * WORDS);
  /** By how texts begin and end, where the last of them is: mostly the one that comes again. */
  readonly #latest = new Uint16Array(SLOTS);
  /** The text that is looked for. */
  readonly #sought = new Int32Array(WORDS);

  /** @returns the place of the text; another text may have it after the next call. */
  find(view: DataView, from: number, length: number): number {
    const sign = signOf(view, from, length);
    const latest = this.#latest[sign] ?? 0;
    if (this.#lengths[latest] === length && this.#isAt(latest, view, from, length)) return latest;
    const slot = this.#find(view, from, length);
    this.#latest[sign] = slot;
    return slot;
  }

  text(slot: number): string {
    return this.#texts[slot] ?? '';
  }

  /** What `mark` said of this text; 0 where nothing. */
  markOf(slot: number): number {
    return this.#marks[slot] ?? 0;
  }

  mark(slot: number, mark: number): void {
    this.#marks[slot] = mark;
  }

  clearMarks(): void {
    this.#marks.fill(0);
  }

  /** Whether the text of a slot, which is as long, lies at `from`. */
  #isAt(slot: number, view: DataView, from: number, length: number): boolean {
    const first = slot * WORDS;
    const whole = length >> 2;
    for (let word = 0; word < whole; word++) {
      if (this.#words[first + word] !== view.getInt32(from + word * 4, true)) return false;
    }
    return (length & 3) === 0 || this.#words[first + whole] === lastWord(view, from, length);
  }

  #find(view: DataView, from: number, length: number): number {
    const whole = length >> 2;
    const sought = this.#sought;
    let hash = length;
    for (let word = 0; word < whole; word++) {
      const bits = view.getInt32(from + word * 4, true);
      sought[word] = bits;
      hash = mixed(hash ^ bits);
    }
    if ((length & 3) !== 0) {
      const bits = lastWord(view, from, length);
      sought[whole] = bits;
      hash = mixed(hash ^ bits);
    }
    hash = mixed(hash);
    for (let probe = 0; probe < PROBES; probe++) {
      const slot = (hash + probe) & (SLOTS - 1);
      if (this.#hashes[slot] === hash && this.#lengths[slot] === length && this.#isSought(slot, length)) {
        return slot;
      }
    }
    return this.#add(hash, view, from, length);
  }

  #isSought(slot: number, length: number): boolean {
    const first = slot * WORDS;
    for (let word = (length + 3) >> 2; word-- > 0; ) {
      if (this.#words[first + word] !== this.#sought[word]) return false;
    }
    return true;
  }

  #add(hash: number, view: DataView, from: number, length: number): number {
    let slot = hash & (SLOTS - 1);
    for (let probe = 0; probe < PROBES; probe++) {
      const other = (hash + probe) & (SLOTS - 1);
      if (this.#lengths[other] === -1) {
        slot = other;
        break;
      }
    }
    this.#hashes[slot] = hash;
    this.#lengths[slot] = length;
    this.#marks[slot] = 0;
    this.#words.set(this.#sought, slot * WORDS);
    this.#texts[slot] = textOf(view, from, length);
    return slot;
  }
}

/** A power of two. */
const SLOTS = 4_096;
const WORDS = MAX_TABLE_TEXT / 4;
/** How many places a text may have. Few, so that texts forged to want the same place cost no time. */
const PROBES = 4;

/** What is left of a text beyond whole words of four bytes, with what goes before it where there is anything. */
function lastWord(view: DataView, from: number, length: number): number {
  if (length >= 4) return view.getInt32(from + length - 4, true);
  let bits = 0;
  for (let at = from; at < from + length; at++) bits = (bits << 8) | view.getUint8(at);
  return bits;
}

/** A place for texts of this length that begin and end alike. */
function signOf(view: DataView, from: number, length: number): number {
  if (length < 4) return length;
  const ends = view.getInt32(from, true) ^ Math.imul(view.getInt32(from + length - 4, true), 0x85ebca6b);
  return Math.imul(ends ^ length, 0x9e3779b1) >>> 20;
}

function mixed(bits: number): number {
  const product = Math.imul(bits, 0x9e3779b1);
  return product ^ (product >>> 15);
}

/** UTF-8 bytes as a string. */
export function textOf(view: DataView, from: number, length: number): string {
  return Buffer.from(view.buffer, view.byteOffset + from, length).toString('utf8');
}
