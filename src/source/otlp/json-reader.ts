import { charCode } from '../../support/char-code.ts';
import { keepCompiled } from '../../support/keep-compiled.ts';
import { MAX_JSON_DEPTH } from './json-text.ts';

/** Thrown where the bytes are no JSON, or JSON of a form that is left to others. Made once: it carries no stack. */
export const NOT_READ = new Error('this JSON was not read');

/**
 * Walks JSON in UTF-8 without making anything of what its caller does not ask for. All of it is checked: what is
 * skipped must be JSON as well.
 *
 *     reader.expect(OPEN_OBJECT);
 *     for (let isFirst = true; reader.goesOn(isFirst, CLOSE_OBJECT); isFirst = false) { reader.string(); … }
 */
export class JsonReader {
  /** Offset of what is read next. */
  position = 0;
  /** Where the content of the string lies that was read last, and whether any of it is escaped. */
  from = 0;
  until = 0;
  isEscaped = false;
  readonly view: DataView;
  readonly #bytes: Buffer;
  readonly #end: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#end = bytes.byteLength;
    // A byte order mark is no JSON, but Windows tools put it there.
    if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) this.position = 3;
  }

  /** The first byte of what comes next; 0 at the end. */
  next(): number {
    let byte = this.#bytes[this.position] ?? 0;
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
      this.position++;
      byte = this.#bytes[this.position] ?? 0;
    }
    return byte;
  }

  /** Moves over a byte that must be there. */
  expect(byte: number): void {
    if (this.next() !== byte) throw NOT_READ;
    this.position++;
  }

  /** Moves over a bracket that closes an object where one comes next. */
  closes(): boolean {
    if (this.next() !== CLOSE_OBJECT) return false;
    this.position++;
    return true;
  }

  expectEnd(): void {
    if (this.next() !== 0 || this.position !== this.#end) throw NOT_READ;
  }

  /** Moves over the comma before the next member or item, or over the closing bracket. @returns whether one comes. */
  goesOn(isFirst: boolean, close: number): boolean {
    const byte = this.next();
    if (byte === close) {
      this.position++;
      return false;
    }
    if (!isFirst) {
      if (byte !== COMMA) throw NOT_READ;
      this.position++;
    }
    return true;
  }

  /** Moves over `words`, four bytes each, where just these come next. */
  passes(words: Int32Array): boolean {
    const at = this.position;
    if (words.length * 4 > this.#end - at) return false;
    for (let word = 0; word < words.length; word++) {
      if (this.view.getInt32(at + word * 4, true) !== words[word]) return false;
    }
    this.position = at + words.length * 4;
    return true;
  }

  /** Moves over a string, and keeps where it lies. */
  string(): void {
    if (this.next() !== QUOTE) throw NOT_READ;
    this.from = this.position + 1;
    this.isEscaped = false;
    let at = this.from;
    const lastWord = this.#end - 4;
    for (;;) {
      if (at <= lastWord) {
        // Four bytes at once: a quote, a backslash and a control character each set the high bit of their byte.
        const word = this.view.getInt32(at, true);
        const quote = word ^ 0x22222222;
        const slash = word ^ 0x5c5c5c5c;
        const found =
          (((quote - 0x01010101) & ~quote) |
            ((slash - 0x01010101) & ~slash) |
            ((word - 0x20202020) & ~word)) &
          -0x7f7f7f80;
        if (found === 0) {
          at += 4;
          continue;
        }
        at += (31 - Math.clz32(found & -found)) >> 3;
      }
      const byte = this.#bytes[at] ?? 0;
      if (byte === QUOTE) break;
      if (byte < 0x20) throw NOT_READ;
      at = byte === BACKSLASH ? this.#afterEscape(at) : at + 1;
    }
    this.until = at;
    this.position = at + 1;
  }

  /**
   * Of the string that was read last, some of which is escaped.
   * @returns where it ends, or a character that lies `maxBytes` or a little more behind its beginning.
   */
  escapedEnd(maxBytes: number): number {
    if (this.until - this.from <= maxBytes) return this.until;
    let at = this.from;
    while (at < this.from + maxBytes) {
      if (this.#bytes[at] !== BACKSLASH) at++;
      else at += this.#bytes[at + 1] === 0x75 ? 6 : 2;
    }
    return Math.min(at, this.until);
  }

  /** Moves over any value. `depth` is how many brackets are open around it. */
  skip(depth: number): void {
    const byte = this.next();
    if (byte === QUOTE) this.string();
    else if (byte === OPEN_OBJECT) this.#skipObject(depth + 1);
    else if (byte === OPEN_LIST) this.#skipList(depth + 1);
    else if (byte === 0x74) this.#skipWord('true');
    else if (byte === 0x66) this.#skipWord('false');
    else if (byte === NULL) this.#skipWord('null');
    else this.#skipNumber();
  }

  /** Moves over any value of a text that is known to be JSON: quicker, as it looks for the end alone. */
  pass(): void {
    const byte = this.next();
    if (byte === QUOTE) this.string();
    else if (byte === OPEN_OBJECT || byte === OPEN_LIST) this.#passBrackets();
    else while (!ENDS[this.#bytes[this.position] ?? COMMA]) this.position++;
  }

  #passBrackets(): void {
    let at = this.position;
    let depth = 0;
    do {
      const byte = this.#bytes[at];
      if (byte === QUOTE) {
        this.position = at;
        this.string();
        at = this.position;
        continue;
      }
      at++;
      if (byte === OPEN_OBJECT || byte === OPEN_LIST) depth++;
      else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) depth--;
    } while (depth > 0 && at < this.#end);
    this.position = at;
  }

  /** The text between two offsets. */
  text(from: number, until: number): string {
    return this.#bytes.toString('utf8', from, until);
  }

  #skipObject(depth: number): void {
    if (depth > MAX_JSON_DEPTH) throw NOT_READ;
    this.position++;
    for (let isFirst = true; this.goesOn(isFirst, CLOSE_OBJECT); isFirst = false) {
      this.string();
      this.expect(COLON);
      this.skip(depth);
    }
  }

  #skipList(depth: number): void {
    if (depth > MAX_JSON_DEPTH) throw NOT_READ;
    this.position++;
    for (let isFirst = true; this.goesOn(isFirst, CLOSE_LIST); isFirst = false) this.skip(depth);
  }

  #skipWord(word: string): void {
    for (let index = 0; index < word.length; index++) {
      if (this.#bytes[this.position + index] !== charCode(word, index)) throw NOT_READ;
    }
    this.position += word.length;
  }

  #skipNumber(): void {
    if (this.#bytes[this.position] === MINUS) this.position++;
    if (this.#bytes[this.position] === 0x30) this.position++;
    else this.#skipDigits();
    if (this.#bytes[this.position] === POINT) {
      this.position++;
      this.#skipDigits();
    }
    if (((this.#bytes[this.position] ?? 0) | 0x20) === 0x65) {
      this.position++;
      const sign = this.#bytes[this.position];
      if (sign === MINUS || sign === PLUS) this.position++;
      this.#skipDigits();
    }
  }

  #skipDigits(): void {
    const from = this.position;
    while (isDigit(this.#bytes[this.position] ?? 0)) this.position++;
    if (this.position === from) throw NOT_READ;
  }

  #afterEscape(at: number): number {
    this.isEscaped = true;
    const byte = this.#bytes[at + 1] ?? 0;
    if (byte !== 0x75) {
      if (ESCAPED[byte] !== 1) throw NOT_READ;
      return at + 2;
    }
    for (let digit = at + 2; digit < at + 6; digit++) {
      if (HEX_DIGIT[this.#bytes[digit] ?? 0] !== 1) throw NOT_READ;
    }
    return at + 6;
  }
}

export const QUOTE = 0x22;
export const COLON = 0x3a;
export const OPEN_OBJECT = 0x7b;
export const CLOSE_OBJECT = 0x7d;
export const OPEN_LIST = 0x5b;
export const CLOSE_LIST = 0x5d;
/** What `null` begins with. */
export const NULL = 0x6e;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;

/** What may follow a backslash, but for `u`; and hex digits. */
const ESCAPED = bytesOf('"\\/bfnrt');
/** What may follow a number or a word. */
const ENDS = bytesOf(' \t\r\n,]}');
const HEX_DIGIT = bytesOf('0123456789abcdefABCDEF');

function bytesOf(characters: string): Uint8Array {
  const bytes = new Uint8Array(256);
  for (const byte of Buffer.from(characters)) bytes[byte] = 1;
  return bytes;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** Characters of one byte each, as many as are divisible by four, for `passes`. */
export function wordsOf(characters: string): Int32Array {
  const bytes = Buffer.from(characters, 'latin1');
  return Int32Array.from({ length: bytes.length / 4 }, (_, word) => bytes.readInt32LE(word * 4));
}

keepCompiled(new JsonReader(new Uint8Array()));
