import { PbfReader } from 'pbf';
import { MalformedBodyError } from '../../src/source/otlp/malformed-body-error.ts';
import { cutText } from '../../src/source/otlp/value-budget.ts';

/** Wire types of protobuf. */
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const GROUP = 3;
const GROUP_END = 4;
const FIXED32 = 5;

/** How many groups may stand in one another. They were given up in proto3; only a forged message nests them. */
const MAX_GROUPS = 64;

/**
 * The plain counterpart of ProtobufReader, by pbf and callbacks: what that is tested against.
 *
 * Walks a protobuf message whose bytes nobody vouches for. Every length is checked against the enclosing message
 * before it is used, and what the caller does not read is skipped without being looked at.
 *
 * Methods that read a value may be called only from the callback of `fields` or `message`, once, for a tag of the
 * matching wire type.
 */
export class PlainProtobufReader {
  readonly #pbf: PbfReader;
  readonly #bytes: Buffer;
  #end: number;

  constructor(bytes: Uint8Array) {
    this.#pbf = new PbfReader(bytes);
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#end = bytes.byteLength;
  }

  /** Offset of the value under the cursor. */
  get position(): number {
    return this.#pbf.pos;
  }

  /** Gives `read` the tag of each field of the message that is left. A value it leaves alone is skipped. */
  fields(read: (tag: number) => void): void {
    while (this.#pbf.pos < this.#end) {
      const tag = this.#tag();
      const valueAt = this.#pbf.pos;
      read(tag);
      if (this.#pbf.pos === valueAt) this.#skip(tag);
    }
  }

  /** The same for the embedded message under the cursor. */
  message(read: (tag: number) => void): void {
    const outer = this.#end;
    this.#end = this.#length() + this.#pbf.pos;
    this.fields(read);
    this.#end = outer;
  }

  /** Runs `read` with the cursor at a value of this message that was skipped, and comes back. */
  revisit(position: number, read: () => void): void {
    const back = this.#pbf.pos;
    this.#pbf.pos = position;
    read();
    this.#pbf.pos = back;
  }

  /** UTF-8 text, at most `maxLength` UTF-16 units of it. */
  text(maxLength: number): string {
    const length = this.#length();
    const from = this.#advance(length);
    // A UTF-16 unit is at most three bytes, so no more needs decoding; one character may be torn at the cut.
    const until = from + Math.min(length, maxLength * 3 + 3);
    return cutText(this.#bytes.toString('utf8', from, until), maxLength);
  }

  /** The bytes under the cursor, not copied. */
  bytes(): Buffer {
    const length = this.#length();
    const from = this.#advance(length);
    return this.#bytes.subarray(from, from + length);
  }

  /** Exact: a bigint where a number would not be. */
  int64(): number | bigint {
    const start = this.#pbf.pos;
    const value = this.#varint(true);
    if (Number.isSafeInteger(value)) return value;
    let exact = 0n;
    for (let at = start; at < this.#pbf.pos; at++) {
      exact |= BigInt((this.#bytes[at] ?? 0) & 0x7f) << BigInt(7 * (at - start));
    }
    return BigInt.asIntN(64, exact);
  }

  uint(): number {
    return this.#varint();
  }

  fixed64(): bigint {
    const at = this.#advance(8);
    return this.#bytes.readBigUInt64LE(at);
  }

  fixed32(): number {
    const at = this.#advance(4);
    return this.#bytes.readUInt32LE(at);
  }

  double(): number {
    const at = this.#advance(8);
    return this.#bytes.readDoubleLE(at);
  }

  #tag(): number {
    const at = this.#pbf.pos;
    const tag = this.#varint();
    if (tag > 0xffff_ffff) throw new MalformedBodyError('a field number is too large', at);
    if (tag >>> 3 === 0)
      throw new MalformedBodyError('a field has the number 0, which no field may have', at);
    return tag;
  }

  #skip(tag: number): void {
    if ((tag & 7) === GROUP) this.#skipGroup(tag);
    else this.#skipValue(tag);
  }

  #skipValue(tag: number): void {
    const type = tag & 7;
    if (type === VARINT) this.#varint();
    else if (type === FIXED64) this.#advance(8);
    else if (type === BYTES) this.#advance(this.#length());
    else if (type === FIXED32) this.#advance(4);
    else if (type === GROUP_END)
      throw new MalformedBodyError('a group ends that did not begin', this.#pbf.pos);
    else throw new MalformedBodyError(`there is no wire type ${type}`, this.#pbf.pos);
  }

  #skipGroup(tag: number): void {
    const open = [tag >>> 3];
    while (open.length > 0) {
      const at = this.#pbf.pos;
      const next = this.#tag();
      if ((next & 7) === GROUP) {
        if (open.length === MAX_GROUPS) throw new MalformedBodyError('groups are nested too deep', at);
        open.push(next >>> 3);
      } else if ((next & 7) === GROUP_END) {
        if (open.pop() !== next >>> 3) throw new MalformedBodyError('a group ends that did not begin', at);
      } else {
        this.#skipValue(next);
      }
    }
  }

  /** A length that is known to lie inside the message; the cursor stands behind it. */
  #length(): number {
    const at = this.#pbf.pos;
    const length = this.#varint();
    if (length > this.#end - this.#pbf.pos) {
      throw new MalformedBodyError('a field is longer than the message that holds it', at);
    }
    return length;
  }

  /** Moves over `size` bytes. @returns where they begin. */
  #advance(size: number): number {
    const at = this.#pbf.pos;
    if (size > this.#end - at) throw new MalformedBodyError('the message ends inside a field', at);
    this.#pbf.pos = at + size;
    return at;
  }

  #varint(isSigned = false): number {
    const at = this.#pbf.pos;
    if (at >= this.#end) throw new MalformedBodyError('the message ends inside a field', at);
    try {
      const value = this.#pbf.readVarint(isSigned);
      if (this.#pbf.pos <= this.#end) return value;
    } catch {
      // pbf throws where it finds no end within ten bytes, be it that the message ends or that the number goes on.
    }
    throw new MalformedBodyError('a number does not end where it must', at);
  }
}
