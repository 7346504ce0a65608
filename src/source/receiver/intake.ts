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
import { DecodingBody } from './decoding-body.ts';
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

/** A body on its way in: its spans as they come, or its bytes. */
export type IncomingBody = DecodingBody | BoundedBytes;

/** What both transports do alike with a body: chunks → inflate → decode → sink → answer. */
export class Intake {
  readonly #sink: OtlpSink;
  readonly #maxBytes: number;
  /** How long the bodies are that are decoded as they come. */
  #decodingBytes = 0;

  constructor(sink: OtlpSink, maxBytes: number) {
    this.#sink = sink;
    this.#maxBytes = maxBytes;
  }

  /**
   * What a body is pushed into as it comes.
   * @param length of the body in bytes; undefined where the sender does not say.
   * @throws Refusal where it is too large, or there is no room for any of it.
   */
  receive(head: RequestHead, room: Room, length: number | undefined): IncomingBody {
    if (length === undefined || length > this.#maxBytes || !this.#isDecodedAsItComes(head, length)) {
      return new BoundedBytes(room, this.#maxBytes, length);
    }
    this.#decodingBytes += length;
    room.whenGivenBack(() => (this.#decodingBytes -= length));
    return new DecodingBody(room, this.#sink.wants, length);
  }

  /**
   * Whether its bytes are of no use but for its spans, and these may be there before all of it has come. Not of gRPC: frames
   * of 16 KiB cut so many spans that to put them together costs more than to collect the whole.
   */
  #isDecodedAsItComes(head: RequestHead, length: number): boolean {
    const { signal, transport, contentType, contentEncoding } = head;
    if (this.#sink.ignoresBodies !== true || signal !== 'traces' || transport !== 'http') return false;
    const isPlain = contentType === 'application/x-protobuf' && contentEncoding === undefined;
    return isPlain && length <= AT_ONCE_BYTES && this.#decodingBytes + length <= MAX_DECODING_BYTES;
  }

  /**
   * Takes a request whose body has come in whole.
   * @throws Refusal
   */
  async take(head: RequestHead, body: IncomingBody, room: Room): Promise<Taken> {
    const { answer, result } = await this.#handOver(head, body, room);
    const upstream = answer && (await answer);
    return upstream === undefined ? { result } : { upstream };
  }

  async #handOver(head: RequestHead, body: IncomingBody, room: Room): Promise<HandedOver> {
    try {
      if (body instanceof DecodingBody)
        return this.#accept(requestOf(head, head.contentEncoding, NOTHING), body.finish());
      const came = body.finish();
      const { contentEncoding } = head;
      const bytes =
        contentEncoding === undefined ? came : await this.#inflate(head, contentEncoding, came, room);
      // A gRPC message is forwarded in a call of its own, where the compression of this one says nothing.
      const request =
        head.transport === 'grpc'
          ? requestOf(head, undefined, bytes)
          : requestOf(head, contentEncoding, came);
      if (request.signal !== 'traces') {
        await skim(request.contentType, bytes);
        return this.#accept(request, undefined);
      }
      return bytes.length > AT_ONCE_BYTES
        ? await this.#handOverInPieces(request, bytes)
        : this.#accept(request, this.#decode(request, bytes));
    } catch (error) {
      if (error instanceof Refusal) throw error;
      if (error instanceof MalformedBodyError) throw Refusal.malformed(error.message);
      // Its text may hold content.
      const name = kindOf(error);
      tell.error(`spanplan: a body could not be decoded (${name}); this is a fault of spanplan`);
      throw Refusal.unreadable();
    }
  }

  async #inflate({ transport }: RequestHead, encoding: string, body: Buffer, room: Room): Promise<Buffer> {
    try {
      return await inflate(body, encoding, () => new BoundedBytes(room, this.#maxBytes));
    } catch (error) {
      if (!(error instanceof MalformedBodyError)) throw error;
      throw transport === 'grpc' ? Refusal.garbled(error.message) : Refusal.malformed(error.message);
    }
  }

  /**
   * Decodes and passes on what may be millions of spans, of which no more than a piece are there at once, and which are
   * decoded while other work has its turn. As a part cannot be taken back, the whole is looked at before, for faults.
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
/**
 * What may be half decoded at a time; other bodies are collected, which takes no more memory than they are long. Room is
 * asked for the bytes alone, so what is half decoded may hold some 100 MiB beside it, where senders are slow and spans odd.
 */
const MAX_DECODING_BYTES = 2 * AT_ONCE_BYTES;
const NOTHING = new Uint8Array();
/** What is decoded of a larger body in one turn of the event loop: some milliseconds. */
const PIECE_BYTES = 2 ** 18;

/** Field by field: to spread a head into an object with one more takes the engine's slow way. */
function requestOf(head: RequestHead, contentEncoding: string | undefined, body: Uint8Array): OtlpRequest {
  const { signal, transport, contentType, headers, tenant } = head;
  return { signal, transport, contentType, contentEncoding, headers, body, tenant };
}

function piecesOf(contentType: OtlpRequest['contentType']): typeof protobufPieces {
  return contentType === 'application/json' ? jsonPieces : protobufPieces;
}
