import type { Wants } from '../src/conventions/attribute-names.ts';
import type { DecodedBatch } from '../src/source/otlp/otlp-batch.ts';
import { BodyMemory } from '../src/source/receiver/body-memory.ts';
import { recordsByProtobufjs } from './records-by-protobufjs.ts';

/** How many spans have come this way, which shows that the other decoder was not used. */
export const decoded = { spans: 0 };

/** Stands in the place of spanplan's own decoder in a server that is measured beside it. */
export function decodeOtlpProtobuf(bytes: Uint8Array, wants: Wants): DecodedBatch {
  const spans = recordsByProtobufjs(bytes, wants);
  decoded.spans += spans.length;
  return { spans, rejected: 0 };
}

/** protobufjs needs the whole body, which is collected in memory that is used again, as the receiver has it otherwise. */
export class OtlpProtobufDecoder {
  readonly #wants: Wants;
  readonly #block: Buffer;
  #size = 0;

  constructor(wants: Wants, bytes: number) {
    this.#wants = wants;
    this.#block = memory.take(bytes) ?? Buffer.allocUnsafeSlow(bytes);
  }

  push(bytes: Uint8Array): void {
    this.#block.set(bytes, this.#size);
    this.#size += bytes.length;
  }

  finish(): DecodedBatch {
    const batch = decodeOtlpProtobuf(this.#block.subarray(0, this.#size), this.#wants);
    memory.giveBack(this.#block);
    return batch;
  }
}

const memory = new BodyMemory();
