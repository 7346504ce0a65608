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
    if (this.reader.body.length > SMALL_BYTES) keepLarge(this.reader);
    else if (free.length < MOST_FREE) free.push(this);
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
    const length = Math.max(needed, Math.min(2 * body.length, MOST_BYTES));
    this.reader = takeLarge(needed) ?? new ProtobufReader(Buffer.allocUnsafeSlow(length));
    this.reader.body.set(body.subarray(0, this.size));
  }
}

/** More than most spans take. */
const FIRST_BYTES = 16_384;

const free: CarriedBytes[] = [];
const MOST_FREE = 16;

/** For spans with long prompts, the smallest first. New memory of that size costs more than to decode what comes into it. */
const large: ProtobufReader[] = [];
const MOST_LARGE = 2;
const SMALL_BYTES = 65_536;
/** As long as a body may be that is decoded as it comes. */
const MOST_BYTES = 4_194_304;

/** The largest are kept, as they serve for all. */
function keepLarge(reader: ProtobufReader): void {
  if (reader.body.length > MOST_BYTES) return;
  large.push(reader);
  large.sort((a, b) => a.body.length - b.body.length);
  if (large.length > MOST_LARGE) large.shift();
}

function takeLarge(needed: number): ProtobufReader | undefined {
  const fits = large.findIndex(({ body }) => body.length >= needed);
  return fits < 0 ? undefined : large.splice(fits, 1)[0];
}
