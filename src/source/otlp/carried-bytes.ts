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
    if (free.length < MOST_FREE && this.reader.body.length <= MOST_FREE_BYTES) free.push(this);
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
    this.reader = new ProtobufReader(Buffer.allocUnsafeSlow(Math.max(needed, 2 * body.length)));
    this.reader.body.set(body.subarray(0, this.size));
  }
}

/** More than most spans take. */
const FIRST_BYTES = 16_384;

const free: CarriedBytes[] = [];
const MOST_FREE = 16;
const MOST_FREE_BYTES = 65_536;
