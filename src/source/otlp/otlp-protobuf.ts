import { WANTS_NOTHING, type Wants } from '../../conventions/attribute-names.ts';
import { keepCompiled } from '../../support/keep-compiled.ts';
import { CarriedBytes } from './carried-bytes.ts';
import { MalformedBodyError } from './malformed-body-error.ts';
import { type DecodedBatch, OtlpBatch } from './otlp-batch.ts';
import { wantAttributes } from './otlp-protobuf-attributes.ts';
import { RequestWalk } from './otlp-protobuf-walk.ts';
import { ProtobufReader } from './protobuf-reader.ts';

/**
 * Decodes an ExportTraceServiceRequest in protobuf (opentelemetry-proto 1.11), reading only what a Span holds and the
 * attributes that are wanted.
 *
 * @throws MalformedBodyError where the bytes are no protobuf message.
 */
export function decodeOtlpProtobuf(bytes: Uint8Array, wants: Wants): DecodedBatch {
  const decoder = new OtlpProtobufDecoder(wants, bytes.length);
  decoder.push(bytes);
  return decoder.finish();
}

/**
 * Decodes a request that comes in parts of any size, each of which is read at once and then forgotten. A field that lies
 * across parts is put together. Nothing is given out before all of the request was found good.
 */
export class OtlpProtobufDecoder {
  readonly #wants: Wants;
  readonly #batch = new OtlpBatch();
  readonly #walk: RequestWalk;
  /** How much of the request was read. */
  #offset = 0;
  /** What was not read of the parts before. */
  #carried: CarriedBytes | undefined;

  /** @param bytes how long the request is. */
  constructor(wants: Wants, bytes: number) {
    this.#wants = wants;
    this.#walk = new RequestWalk(this.#batch, bytes);
  }

  /**
   * Reads the next part, and keeps nothing of its memory.
   * @throws MalformedBodyError; the decoder is of no more use then.
   */
  push(bytes: Uint8Array): void {
    wantAttributes(this.#wants);
    const from = this.#carried === undefined ? 0 : this.#readCarried(this.#carried, bytes);
    if (from === bytes.length) return;
    const reader = new ProtobufReader(bytes);
    this.#read(reader, from, bytes.length);
    if (reader.position === bytes.length) return;
    this.#carried = CarriedBytes.take();
    this.#carried.add(bytes, reader.position, bytes.length);
  }

  /** Reads what was carried, with as much of `bytes` as that lacks. @returns how many of these were read. */
  #readCarried(carried: CarriedBytes, bytes: Uint8Array): number {
    let from = 0;
    for (;;) {
      const added = Math.min(this.#walk.wanted - carried.size, bytes.length - from);
      carried.add(bytes, from, from + added);
      from += added;
      if (carried.size < this.#walk.wanted) return from;
      this.#read(carried.reader, 0, carried.size);
      const left = carried.size - carried.reader.position;
      // What is left of the last part is read from there.
      if (left <= added) {
        carried.giveBack();
        this.#carried = undefined;
        return from - left;
      }
      carried.drop(carried.reader.position);
    }
  }

  #read(reader: ProtobufReader, from: number, length: number): void {
    reader.position = from;
    try {
      this.#walk.read(reader, length);
    } catch (error) {
      if (this.#offset === from || !(error instanceof MalformedBodyError)) throw error;
      throw new MalformedBodyError(error.reason, this.#offset - from + (error.byteOffset ?? 0));
    }
    this.#offset += reader.position - from;
  }

  /** @throws MalformedBodyError where a part is missing. */
  finish(): DecodedBatch {
    if (!this.#walk.isDone) throw new MalformedBodyError('the message ends inside a field', this.#offset);
    return this.#batch.take();
  }
}

keepCompiled(new OtlpProtobufDecoder(WANTS_NOTHING, 0));
