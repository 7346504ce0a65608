import { keepCompiled } from '../../support/keep-compiled.ts';
import { MalformedBodyError } from './malformed-body-error.ts';
import { MAX_TABLE_TEXT, type TextTable } from './text-table.ts';
import { cutText } from './value-budget.ts';

/** Wire types of protobuf. */
const VARINT = 0;
const FIXED64 = 1;
export const BYTES = 2;
export const GROUP = 3;
const GROUP_END = 4;
const FIXED32 = 5;

/** How many groups may stand in one another. They were given up in proto3; only a forged message nests them. */
const MAX_GROUPS = 64;

const MAX_VARINT_BYTES = 10;

/** More fields than any body has; still what the engine keeps as an integer. */
export const MANY_FIELDS: number = 2 ** 31 - 1;

/** Tags of fields by number and wire type: a field with another wire type has another tag, and so is unknown. */
export const tags = {
  varint: (field: number): number => (field << 3) | VARINT,
  fixed64: (field: number): number => (field << 3) | FIXED64,
  bytes: (field: number): number => (field << 3) | BYTES,
  fixed32: (field: number): number => (field << 3) | FIXED32,
};

/**
 * Walks a protobuf message whose bytes nobody vouches for. Every length is checked against the enclosing message
 * before it is used, and what the caller does not read is skipped without being looked at.
 *
 *     for (const outer = reader.enter(); reader.isInside; ) {
 *       const tag = reader.tag();
 *       if (tag === WANTED) value = reader.uint();
 *       else reader.skip(tag);
 *     }
 *     reader.leave(outer);
 *
 * A method that reads a value may be called only for a tag of the matching wire type.
 */
export class ProtobufReader {
  /** Offset of what is read next. May be set to where a value of the message began, to read that again. */
  position = 0;
  /** How many more fields `tag` may begin. */
  fieldsLeft: number = MANY_FIELDS;
  /** All bytes, for those who read values of their own kinds from them. */
  readonly body: Buffer;
  readonly view: DataView;
  #end: number;
  /** The halves of the varint that was read last, where it took more than two bytes. */
  #low = 0;
  #high = 0;

  constructor(bytes: Uint8Array) {
    this.body = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#end = bytes.byteLength;
  }

  /** Where the message ends, as far as it is there. */
  get end(): number {
    return this.#end;
  }

  /** To read a message that was entered elsewhere. No more than there are bytes. */
  set end(end: number) {
    this.#end = end;
  }

  /** Whether the message goes on. */
  get isInside(): boolean {
    return this.position < this.#end;
  }

  /** Steps into the message under the cursor. @returns what `leave` needs. */
  enter(): number {
    const outer = this.#end;
    const length = this.length();
    this.#end = this.position + length;
    return outer;
  }

  leave(outer: number): void {
    this.#end = outer;
  }

  /** Gives `read` the tag of each field of the message that is left. A value it leaves alone is skipped. */
  fields(read: (tag: number) => void): void {
    while (this.isInside) {
      const tag = this.tag();
      const valueAt = this.position;
      read(tag);
      if (this.position === valueAt) this.skip(tag);
    }
  }

  /** The same for the embedded message under the cursor. */
  message(read: (tag: number) => void): void {
    const outer = this.enter();
    this.fields(read);
    this.leave(outer);
  }

  tag(): number {
    const at = this.position;
    if (this.fieldsLeft-- <= 0) throw new MalformedBodyError('there are more fields than spans have', at);
    const byte = this.body[at] ?? 0;
    if (byte > 7 && byte < 0x80 && at < this.#end) {
      this.position = at + 1;
      return byte;
    }
    const tag = this.uint();
    if (tag > 0xffff_ffff) throw new MalformedBodyError('a field number is too large', at);
    if (tag >>> 3 === 0)
      throw new MalformedBodyError('a field has the number 0, which no field may have', at);
    return tag;
  }

  /** Moves over the value of a field with this tag. */
  skip(tag: number): void {
    const type = tag & 7;
    if (type === BYTES) {
      const length = this.length();
      this.position += length;
    } else if (type === VARINT) this.uint();
    else if (type === FIXED64) this.#advance(8);
    else if (type === FIXED32) this.#advance(4);
    else if (type === GROUP) this.#skipGroup(tag);
    else if (type === GROUP_END)
      throw new MalformedBodyError('a group ends that did not begin', this.position);
    else throw new MalformedBodyError(`there is no wire type ${type}`, this.position);
  }

  /** The length of what follows, known to lie inside the message. */
  length(): number {
    return this.lengthWithin(this.#end);
  }

  /** The same where the message ends at `end`, and not all of it is there. */
  lengthWithin(end: number): number {
    const at = this.position;
    const length = this.uint();
    if (length > end - this.position) {
      throw new MalformedBodyError('a field is longer than the message that holds it', at);
    }
    return length;
  }

  /** UTF-8 text, at most `maxLength` UTF-16 units of it; short texts come from `table` where that is given. */
  text(maxLength: number, table?: TextTable): string {
    const length = this.length();
    const from = this.position;
    this.position = from + length;
    if (table !== undefined && length <= MAX_TABLE_TEXT && length <= maxLength) {
      return table.text(table.find(this.view, from, length));
    }
    // A UTF-16 unit is at most three bytes, so no more needs decoding; one character may be torn at the cut.
    const until = from + Math.min(length, maxLength * 3 + 3);
    return cutText(this.body.toString('utf8', from, until), maxLength);
  }

  /** The bytes under the cursor, not copied. */
  bytes(): Buffer {
    const length = this.length();
    const from = this.#advance(length);
    return this.body.subarray(from, from + length);
  }

  /** A number of 64 bits without sign, rounded where it is large. */
  uint(): number {
    const at = this.position;
    if (at >= this.#end) throw new MalformedBodyError('the message ends inside a field', at);
    const first = this.body[at] ?? 0;
    if (first < 0x80) {
      this.position = at + 1;
      return first;
    }
    const second = this.body[at + 1] ?? 0x80;
    if (second < 0x80 && at + 1 < this.#end) {
      this.position = at + 2;
      return (first & 0x7f) | (second << 7);
    }
    this.#readHalves();
    // Small ones are to stay what the engine keeps as integers: offsets are made of them.
    if (this.#high === 0 && this.#low >= 0) return this.#low;
    return (this.#high >>> 0) * 0x1_0000_0000 + (this.#low >>> 0);
  }

  /** A number of 64 bits with sign. Exact: a bigint where a number would not be. */
  int64(): number | bigint {
    const unsigned = this.uint();
    if (unsigned <= Number.MAX_SAFE_INTEGER) return unsigned;
    const value = this.#high * 0x1_0000_0000 + (this.#low >>> 0);
    if (Number.isSafeInteger(value)) return value;
    return (BigInt(this.#high) << 32n) | BigInt(this.#low >>> 0);
  }

  double(): number {
    return this.view.getFloat64(this.#advance(8), true);
  }

  fixed32(): number {
    return this.view.getUint32(this.#advance(4), true);
  }

  /** Moves over 64 bits. @returns where they begin. */
  fixed64At(): number {
    return this.#advance(8);
  }

  #readHalves(): void {
    const at = this.position;
    const end = Math.min(this.#end, at + MAX_VARINT_BYTES);
    if (at >= end) throw new MalformedBodyError('the message ends inside a field', at);
    let low = 0;
    let high = 0;
    for (let next = at, shift = 0; next < end; next++, shift += 7) {
      const byte = this.body[next] ?? 0;
      const bits = byte & 0x7f;
      if (shift < 32) low |= bits << shift;
      if (shift === 28) high = bits >>> 4;
      else if (shift > 28) high |= bits << (shift - 32);
      if (byte < 0x80) {
        this.position = next + 1;
        this.#low = low;
        this.#high = high;
        return;
      }
    }
    throw new MalformedBodyError('a number does not end where it must', at);
  }

  #skipGroup(tag: number): void {
    const open = [tag >>> 3];
    while (open.length > 0) {
      const at = this.position;
      const next = this.tag();
      if ((next & 7) === GROUP) {
        if (open.length === MAX_GROUPS) throw new MalformedBodyError('groups are nested too deep', at);
        open.push(next >>> 3);
      } else if ((next & 7) === GROUP_END) {
        if (open.pop() !== next >>> 3) throw new MalformedBodyError('a group ends that did not begin', at);
      } else {
        this.skip(next);
      }
    }
  }

  /** Moves over `size` bytes. @returns where they begin. */
  #advance(size: number): number {
    const at = this.position;
    if (size > this.#end - at) throw new MalformedBodyError('the message ends inside a field', at);
    this.position = at + size;
    return at;
  }
}

keepCompiled(new ProtobufReader(new Uint8Array()));
