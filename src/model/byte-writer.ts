import { charCode } from '../support/char-code.ts';

/**
 * Bytes that are written piece by piece, and grow as they must: for texts of a form known beforehand, which as strings
 * would be built, joined and encoded in turn.
 */
export class ByteWriter {
  length = 0;
  #bytes = Buffer.allocUnsafeSlow(LEAST_BYTES);

  /** Begins anew, in the same memory unless it has become very large. */
  clear(): void {
    this.length = 0;
    if (this.#bytes.length > MOST_KEPT_BYTES) this.#bytes = Buffer.allocUnsafeSlow(LEAST_BYTES);
  }

  /** A copy of what was written from `start` on. */
  copy(start = 0): Buffer {
    return Buffer.from(this.#bytes.subarray(start, this.length));
  }

  /** What was written, until something else is. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.length++] = value;
  }

  bytes(source: Uint8Array): void {
    const { length } = source;
    this.#reserve(length);
    const bytes = this.#bytes;
    for (let i = 0, at = this.length; i < length; i++, at++) bytes[at] = source[i] as number;
    this.length += length;
  }

  /** Four bytes, the highest first. */
  uint32(value: number): void {
    this.#reserve(4);
    this.length = this.#bytes.writeUInt32BE(value, this.length);
  }

  /** Writes over four bytes that are there already. */
  putUint32(value: number, at: number): void {
    this.#bytes.writeUInt32BE(value, at);
  }

  /** Three decimal digits of a number below 1,000. */
  digits(value: number): void {
    this.#reserve(3);
    const bytes = this.#bytes;
    const tens = Math.trunc(value / 10);
    bytes[this.length++] = ZERO + Math.trunc(tens / 10);
    bytes[this.length++] = ZERO + (tens % 10);
    bytes[this.length++] = ZERO + (value % 10);
  }

  /** A text that holds nothing but ASCII. */
  ascii(text: string): void {
    const { length } = text;
    this.#reserve(length);
    if (length > SHORT) {
      this.#bytes.write(text, this.length, 'latin1');
    } else {
      const bytes = this.#bytes;
      for (let i = 0, at = this.length; i < length; i++, at++) bytes[at] = charCode(text, i);
    }
    this.length += length;
  }

  utf8(text: string): void {
    if (text.length > SHORT || !this.#tryAscii(text, 0)) {
      this.#reserve(3 * text.length);
      this.length += this.#bytes.write(text, this.length, 'utf8');
    }
  }

  /** A JSON string, quotes included. */
  json(text: string): void {
    this.byte(QUOTE);
    if (text.length <= SHORT && this.#tryAscii(text, SPACE)) {
      this.byte(QUOTE);
      return;
    }
    this.length--;
    const json = JSON.stringify(text);
    this.#reserve(3 * json.length);
    this.length += this.#bytes.write(json, this.length, 'utf8');
  }

  /** @returns false, with nothing written, where a character is none of ASCII, or from `least` 32 on needs an escape. */
  #tryAscii(text: string, least: number): boolean {
    const { length } = text;
    this.#reserve(length);
    const bytes = this.#bytes;
    for (let i = 0, at = this.length; i < length; i++, at++) {
      const code = charCode(text, i);
      if (code > 126 || code < least || (least > 0 && (code === QUOTE || code === BACKSLASH))) return false;
      bytes[at] = code;
    }
    this.length += length;
    return true;
  }

  #reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, this.length));
    this.#bytes = larger;
  }
}

const LEAST_BYTES = 4_096;
const MOST_KEPT_BYTES = 1_048_576;
/** Up to here a loop is faster than a call into the engine. */
const SHORT = 64;
const SPACE = 0x20;
const ZERO = 0x30;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
