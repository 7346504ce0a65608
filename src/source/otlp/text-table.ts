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
  /** The text that is looked for. */
  readonly #sought = new Int32Array(WORDS);

  /** @returns the place of the text; another text may have it after the next call. */
  find(view: DataView, from: number, length: number): number {
    const words = length >> 2;
    const sought = this.#sought;
    let hash = length;
    for (let word = 0; word < words; word++) {
      const bits = view.getInt32(from + word * 4, true);
      sought[word] = bits;
      hash = Math.imul(hash ^ bits, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    if ((length & 3) !== 0) {
      let bits = 0;
      for (let at = from + words * 4; at < from + length; at++) bits = (bits << 8) | view.getUint8(at);
      sought[words] = bits;
      hash = Math.imul(hash ^ bits, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    hash = Math.imul(hash, 0x9e3779b1);
    hash ^= hash >>> 15;
    for (let probe = 0; probe < PROBES; probe++) {
      const slot = (hash + probe) & (SLOTS - 1);
      if (this.#hashes[slot] === hash && this.#lengths[slot] === length && this.#isSought(slot, length)) {
        return slot;
      }
    }
    return this.#add(hash, view, from, length);
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

/** UTF-8 bytes as a string. */
export function textOf(view: DataView, from: number, length: number): string {
  return Buffer.from(view.buffer, view.byteOffset + from, length).toString('utf8');
}
