import { ProtobufReader } from './protobuf-reader.ts';

/** What is left of the parts of a request until more of it has come. */
export class CarriedBytes {
  /** Of its memory, of which the first `size` bytes are of the request. */
  reader = new ProtobufReader(Buffer.allocUnsafeSlow(FIRST_BYTES));
  size = 0;

  /** One that is empty. To make one takes as long as to decode a few spans, so they are used again. */
  static take(): CarriedBytes {
    return free.pop() ?? new CarriedBytes();
  }

  /** It is not to be used any more. */
  giveBack(): void {
    this.size = 0;
    const { length } = this.reader.body;
    if (length > MOST_BYTES) return;
    if (length <= SMALL_BYTES) {
      if (free.length < MOST_FREE) free.push(this);
      return;
    }
    // The largest are kept, as they serve for all.
    large.push(this);
    large.sort((a, b) => a.reader.body.length - b.reader.body.length);
    if (large.length > MOST_LARGE) large.shift();
  }

  /** Copies `bytes` from one index to before another. */
  add(bytes: Uint8Array, from: number, until: number): void {
    const size = this.size + until - from;
    if (size > this.reader.body.length) this.#grow(size);
    this.reader.body.set(bytes.subarray(from, until), this.size);
    this.size = size;
  }

  /** Forgets so many bytes, from the first on. */
  drop(bytes: number): void {
    this.reader.body.copyWithin(0, bytes, this.size);
    this.size -= bytes;
  }

  #grow(needed: number): void {
    const { body } = this.reader;
    const fits = large.findIndex((other) => other.reader.body.length >= needed);
    this.reader =
      large.splice(fits, fits < 0 ? 0 : 1)[0]?.reader ??
      new ProtobufReader(Buffer.allocUnsafeSlow(Math.max(needed, 2 * body.length)));
    this.reader.body.set(body.subarray(0, this.size));
  }
}

/** More than most spans take. */
const FIRST_BYTES = 16_384;

const free: CarriedBytes[] = [];
const MOST_FREE = 16;

/** For spans with long prompts. New memory of that size costs more than to decode what comes into it. */
const large: CarriedBytes[] = [];
const MOST_LARGE = 2;
const SMALL_BYTES = 65_536;
const MOST_BYTES = 4_194_304;
