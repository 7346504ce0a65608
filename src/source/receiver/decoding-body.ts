import { WANTS_NOTHING, type Wants } from '../../conventions/attribute-names.ts';
import { keepCompiled } from '../../support/keep-compiled.ts';
import type { DecodedBatch } from '../otlp/otlp-batch.ts';
import { OtlpProtobufDecoder } from '../otlp/otlp-protobuf.ts';
import { GrowingRoom } from './growing-room.ts';
import { Room } from './room.ts';

/**
 * Decodes a body in protobuf as it comes, so that each part of it is read while the processor's cache holds it, and none
 * is kept. What is wrong with it is told when all of it has come, as it would be had it been collected.
 */
export class DecodingBody {
  readonly #room: GrowingRoom;
  /** Undefined once something is wrong: nothing is kept of a body of which nothing can come. */
  #decoder: OtlpProtobufDecoder | undefined;
  #size = 0;
  #fault: unknown;

  /**
   * @param length of the body in bytes.
   * @throws Refusal where there is no room.
   */
  constructor(room: Room, wants: Wants, length: number) {
    this.#room = new GrowingRoom(room, length);
    this.#decoder = new OtlpProtobufDecoder(wants, length);
  }

  /**
   * Nothing of the chunk is kept.
   * @throws Refusal where there is no room.
   */
  push(chunk: Uint8Array): void {
    this.#size += chunk.length;
    this.#room.growTo(this.#size);
    try {
      this.#decoder?.push(chunk);
    } catch (error) {
      this.#fault = error;
      this.#decoder = undefined;
    }
  }

  /** How much has come. */
  get size(): number {
    return this.#size;
  }

  /** @throws whatever was thrown on the way, or MalformedBodyError. */
  finish(): DecodedBatch {
    if (this.#decoder === undefined) throw this.#fault;
    return this.#decoder.finish();
  }
}

const ANY_ROOM = new Room({ admit: () => () => {} }, { signal: 'traces', tenant: undefined });
keepCompiled(new DecodingBody(ANY_ROOM, WANTS_NOTHING, 0));
