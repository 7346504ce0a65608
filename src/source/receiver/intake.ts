import { tell } from '../../support/tell.ts';
import { parseJson } from '../json-text.ts';
import { MalformedBodyError } from '../malformed-body-error.ts';
import type { DecodedBatch } from '../otlp-batch.ts';
import { decodeOtlpJson } from '../otlp-json.ts';
import { decodeOtlpProtobuf } from '../otlp-protobuf.ts';
import type { OtlpRequest, OtlpSink, UpstreamAnswer } from '../otlp-sink.ts';
import type { ExportResult } from '../otlp-status.ts';
import { ProtobufReader } from '../protobuf-reader.ts';
import { BoundedBytes } from './bounded-bytes.ts';
import { inflate } from './inflate.ts';
import { Refusal } from './refusal.ts';
import type { Room } from './room.ts';

/** A request whose head was found good. */
export type RequestHead = Omit<OtlpRequest, 'body'>;

/** What a request that was taken is answered with: our own result, or that of the place it was forwarded to. */
export type Taken = { readonly result: ExportResult } | { readonly upstream: UpstreamAnswer };

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
    const { contentEncoding } = head;
    const bytes =
      contentEncoding === undefined
        ? body
        : await inflate(body, contentEncoding, () => new BoundedBytes(room, this.#maxBytes));
    const batch = this.#read(head, bytes);
    // A gRPC message is forwarded in a call of its own, where the compression of this one says nothing.
    const request: OtlpRequest =
      head.transport === 'grpc' ? { ...head, contentEncoding: undefined, body: bytes } : { ...head, body };
    const upstream = await this.#sink.accept(request, batch);
    if (upstream !== undefined) return { upstream };
    const { rejected = 0, message } = batch ?? {};
    return { result: { rejected, ...(message !== undefined && { message }) } };
  }

  #read(head: RequestHead, bytes: Buffer): DecodedBatch | undefined {
    try {
      return head.signal === 'traces' ? this.#decode(head, bytes) : skim(head, bytes);
    } catch (error) {
      if (error instanceof MalformedBodyError) throw Refusal.malformed(error.message);
      // Its text may hold content.
      const name = error instanceof Error ? error.name : typeof error;
      tell.error(`spanplan: a body could not be decoded (${name}); this is a fault of spanplan`);
      throw Refusal.unreadable();
    }
  }

  #decode({ contentType }: RequestHead, bytes: Buffer): DecodedBatch {
    const wants = (key: string) => this.#sink.wants(key);
    return contentType === 'application/json'
      ? decodeOtlpJson(bytes.toString('utf8'), wants)
      : decodeOtlpProtobuf(bytes, wants);
  }
}

/** Metrics and logs are not read, but what is no message at all is not passed on as one. */
function skim({ contentType }: RequestHead, bytes: Buffer): undefined {
  if (contentType === 'application/json') {
    const json = parseJson(bytes.toString('utf8'));
    if (typeof json !== 'object' || json === null || Array.isArray(json)) {
      throw new MalformedBodyError('expected the request to be an object');
    }
  } else new ProtobufReader(bytes).fields(() => {});
}
