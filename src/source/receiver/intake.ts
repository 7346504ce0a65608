import { setImmediate as nextTurn } from 'node:timers/promises';
import { WANTS_NOTHING } from '../../conventions/attribute-names.ts';
import { tell } from '../../support/tell.ts';
import { kindOf } from '../../support/told-error.ts';
import { MalformedBodyError } from '../otlp/malformed-body-error.ts';
import type { DecodedBatch } from '../otlp/otlp-batch.ts';
import { decodeOtlpJson } from '../otlp/otlp-json.ts';
import { jsonPieces } from '../otlp/otlp-json-pieces.ts';
import { decodeOtlpProtobuf } from '../otlp/otlp-protobuf.ts';
import { protobufPieces } from '../otlp/otlp-protobuf-pieces.ts';
import { BoundedBytes } from './bounded-bytes.ts';
import { inflate } from './inflate.ts';
import type { OtlpRequest, OtlpSink, UpstreamAnswer } from './otlp-sink.ts';
import type { ExportResult } from './otlp-status.ts';
import { Refusal } from './refusal.ts';
import type { Room } from './room.ts';
import { assertUtf8, skim } from './skim.ts';

/** A request whose head was found good. */
export type RequestHead = Omit<OtlpRequest, 'body'>;

/** What a request that was taken is answered with: our own result, or that of the place it was forwarded to. */
export type Taken = { readonly result: ExportResult } | { readonly upstream: UpstreamAnswer };

interface HandedOver {
  readonly answer: ReturnType<OtlpSink['accept']>;
  readonly result: ExportResult;
}

/** What both transports do alike with a body that has come in: body → inflate → decode → sink → answer. */
export class Intake {
  readonly #sink: OtlpSink;
  readonly #maxBytes: number;

  constructor(sink: OtlpSink, maxBytes: number) {
    this.#sink = sink;
    this.#maxBytes = maxBytes;
  }

  /** @throws Refusal */
  async take(head: RequestHead, body: Buffer, room: Room): Promise<Taken> {
    const bytes = await this.#inflate(head, body, room);
    // A gRPC message is forwarded in a call of its own, where the compression of this one says nothing.
    const request: OtlpRequest =
      head.transport === 'grpc' ? { ...head, contentEncoding: undefined, body: bytes } : { ...head, body };
    const { answer, result } = await this.#read(request, bytes);
    const upstream = await answer;
    return upstream === undefined ? { result } : { upstream };
  }

  async #inflate({ contentEncoding, transport }: RequestHead, body: Buffer, room: Room): Promise<Buffer> {
    if (contentEncoding === undefined) return body;
    try {
      return await inflate(body, contentEncoding, () => new BoundedBytes(room, this.#maxBytes));
    } catch (error) {
      if (!(error instanceof MalformedBodyError)) throw error;
      throw transport === 'grpc' ? Refusal.garbled(error.message) : Refusal.malformed(error.message);
    }
  }

  async #read(request: OtlpRequest, bytes: Buffer): Promise<HandedOver> {
    try {
      if (request.signal !== 'traces') await skim(request.contentType, bytes);
      const isLarge = request.signal === 'traces' && bytes.length > AT_ONCE_BYTES;
      return isLarge ? await this.#handOverInPieces(request, bytes) : this.#handOver(request, bytes);
    } catch (error) {
      if (error instanceof MalformedBodyError) throw Refusal.malformed(error.message);
      // Its text may hold content.
      const name = kindOf(error);
      tell.error(`spanplan: a body could not be decoded (${name}); this is a fault of spanplan`);
      throw Refusal.unreadable();
    }
  }

  /**
   * Decodes and passes on in one go: of all requests that are in flight, one at most is there as spans, however long the
   * answers of an upstream take. So spans need no room of their own.
   */
  #handOver(request: OtlpRequest, bytes: Buffer): HandedOver {
    return this.#accept(request, request.signal === 'traces' ? this.#decode(request, bytes) : undefined);
  }

  /**
   * The same for what may be millions of spans, of which no more than a piece are there at once, and which are decoded
   * while other work has its turn. As a part cannot be taken back, the whole is looked at before, for faults.
   */
  async #handOverInPieces(request: OtlpRequest, bytes: Buffer): Promise<HandedOver> {
    const decode = piecesOf(request.contentType);
    if (request.contentType === 'application/json') assertUtf8(bytes);
    for (const _ of decode(bytes, WANTS_NOTHING, PIECE_BYTES)) await nextTurn();
    const pieces = decode(bytes, this.#sink.wants, PIECE_BYTES);
    for (;;) {
      const { done, value } = pieces.next();
      if (done) return this.#accept(request, value);
      this.#sink.learn(value, request);
      await nextTurn();
    }
  }

  #accept(request: OtlpRequest, batch: DecodedBatch | undefined): HandedOver {
    const { rejected = 0, message } = batch ?? {};
    const answer = this.#sink.accept(request, batch);
    return { answer, result: { rejected, ...(message !== undefined && { message }) } };
  }

  #decode({ contentType }: OtlpRequest, bytes: Buffer): DecodedBatch {
    if (contentType !== 'application/json') return decodeOtlpProtobuf(bytes, this.#sink.wants);
    assertUtf8(bytes);
    return decodeOtlpJson(bytes, this.#sink.wants);
  }
}

/** What is decoded in one go, so that its spans are all there at once: as objects they may take twelve times as much. */
const AT_ONCE_BYTES = 4 * 2 ** 20;
/** What is decoded of a larger body in one turn of the event loop: some milliseconds. */
const PIECE_BYTES = 2 ** 18;

function piecesOf(contentType: OtlpRequest['contentType']): typeof protobufPieces {
  return contentType === 'application/json' ? jsonPieces : protobufPieces;
}
