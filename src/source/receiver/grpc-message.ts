import type { IncomingBody, Intake, RequestHead } from './intake.ts';
import { Refusal } from './refusal.ts';
import type { Room } from './room.ts';

/** A flag and a length stand before each message. */
const PREFIX_BYTES = 5;

/**
 * The one message of a unary call, as it comes in. What is wrong with the framing is refused as gRPC's own servers do: the
 * number of messages by the table of grpc/doc/statuscodes.md, torn and unknown frames as grpc-go does (rpc_util.go).
 */
export class GrpcMessage {
  readonly #intake: Intake;
  readonly #head: RequestHead;
  readonly #room: Room;
  /** What has come of the prefix, until it is whole. */
  #prefix: Buffer = NOTHING;
  #flag = 0;
  #length = 0;
  #body: IncomingBody | undefined;

  /** @param head of the call. */
  constructor(intake: Intake, head: RequestHead, room: Room) {
    this.#intake = intake;
    this.#head = head;
    this.#room = room;
  }

  /** @throws Refusal where more than one message comes, it is too large, or there is no room for it. */
  push(chunk: Buffer): void {
    let rest = chunk;
    if (this.#body === undefined) {
      // Mostly the first chunk holds all of it.
      const begun = this.#prefix.length === 0 ? chunk : Buffer.concat([this.#prefix, chunk]);
      if (begun.length < PREFIX_BYTES) {
        this.#prefix = Buffer.from(begun);
        return;
      }
      rest = begun.subarray(PREFIX_BYTES);
      this.#flag = begun[0] ?? 0;
      this.#length = begun.readUInt32BE(1);
      this.#body = this.#intake.receive(this.head, this.#room, this.#length);
    }
    if (this.#body.size + rest.length > this.#length) throw Refusal.wrongNumberOfMessages();
    this.#body.push(rest);
  }

  /** What is true of the message: one that is not compressed may come in a call that names a compression. */
  get head(): RequestHead {
    const isAsNamed = this.#flag !== 0 || this.#head.contentEncoding === undefined;
    return isAsNamed ? this.#head : { ...this.#head, contentEncoding: undefined };
  }

  /**
   * The whole message.
   * @throws Refusal where what came is no such thing.
   */
  finish(): IncomingBody {
    if (this.#body === undefined && this.#prefix.length === 0) throw Refusal.wrongNumberOfMessages();
    if (this.#body === undefined || this.#body.size < this.#length) {
      throw Refusal.garbled('expected a whole message');
    }
    if (this.#flag > 1) throw Refusal.garbled('expected 0 or 1 as the flag of a message');
    if (this.#flag === 1 && this.#head.contentEncoding === undefined) {
      throw Refusal.garbled('expected grpc-encoding to say how the message is compressed');
    }
    return this.#body;
  }
}

const NOTHING = Buffer.alloc(0);
