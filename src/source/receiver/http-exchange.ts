import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { contentTypeOf } from './content-type.ts';
import type { HttpHead } from './http-head.ts';
import type { Taken } from './intake.ts';
import { encodeExportResponse, encodeStatus, type OtlpEncoding } from './otlp-status.ts';
import type { ResolvedReceiverOptions } from './receiver-options.ts';
import type { Refusal } from './refusal.ts';

const LINGER_MILLIS = 3_000;
const MIN_LINGER_BYTES = 2 ** 20;

type ExchangeBounds = Pick<ResolvedReceiverOptions, 'maxRequestBodySize' | 'answerTimeoutMillis'>;

/**
 * One HTTP request and its one answer. The answer is written as the request is, under its bare content type; where that
 * type is not known, in JSON, which whoever looks at it can read.
 */
export class HttpExchange {
  /** Header fields that the answer carries whatever it is. */
  fields: Readonly<Record<string, string>> = {};
  /** Whether the connection ends with this answer. */
  closes = false;
  /** undefined where it is none of OTLP's. */
  readonly encoding: OtlpEncoding | undefined;
  readonly head: HttpHead;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #contentType: string;
  readonly #lingerBytes: number;
  readonly #answerTimeoutMillis: number;
  readonly #failed = new AbortController();
  #answerTimer: NodeJS.Timeout | undefined;
  #status: number | undefined;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    head: HttpHead,
    { maxRequestBodySize, answerTimeoutMillis }: ExchangeBounds,
  ) {
    this.#request = request;
    this.#response = response;
    this.head = head;
    this.#lingerBytes = Math.max(2 * maxRequestBodySize, MIN_LINGER_BYTES);
    this.#answerTimeoutMillis = answerTimeoutMillis;
    const { type, encoding } = contentTypeOf(request.headers['content-type']);
    this.encoding = encoding;
    this.#contentType = type;
    // A sender may go away at any time, and nobody need hear of it.
    for (const stream of [request, response]) stream.on('error', () => {});
  }

  /** The status it was answered with. */
  get status(): number | undefined {
    return this.#status;
  }

  /** Whether all of the body has come in. */
  get isWhole(): boolean {
    return this.#request.complete;
  }

  answer(taken: Taken): void {
    if ('result' in taken) {
      this.#send(200, encodeExportResponse(taken.result, this.#encoding));
      return;
    }
    const { status, retryAfterSeconds, body, headers } = taken.upstream;
    const retry = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
    const isFinal = status >= 200 && status <= 599;
    this.#send(isFinal ? status : 502, body, { ...headers, ...this.fields, ...retry });
  }

  refuse(refusal: Refusal): void {
    const { httpStatus, headers, retryAfterSeconds } = refusal;
    if (refusal.closes) this.closes = true;
    const retry = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
    this.#send(httpStatus, encodeStatus(refusal, this.#encoding), { ...headers, ...retry });
  }

  /** Refuses what turned out to be no HTTP, so that nothing more of it can be read. */
  fail(refusal: Refusal): void {
    this.closes = true;
    this.refuse(refusal);
    this.#failed.abort();
  }

  /** To be called when the answer is out, or its connection has ended. */
  end(): void {
    clearTimeout(this.#answerTimer);
  }

  /** Aborted when nothing more of the request can be read. */
  get signal(): AbortSignal {
    return this.#failed.signal;
  }

  /** Answers a browser that asks whether it may send. */
  permit(fields: Readonly<Record<string, string>>): void {
    this.#send(204, undefined, fields);
  }

  get #encoding(): OtlpEncoding {
    return this.encoding ?? 'json';
  }

  #send(status: number, body: Uint8Array | undefined, fields: OutgoingHttpHeaders = {}): void {
    const response = this.#response;
    if (this.#status !== undefined || response.destroyed) return;
    this.#status = status;
    this.#boundReading();
    response.writeHead(status, {
      ...this.fields,
      ...fields,
      ...(body !== undefined && { 'content-type': this.#contentType, 'content-length': body.length }),
      ...(this.closes && { connection: 'close' }),
    });
    if (this.isWhole) {
      response.end(body);
      return;
    }
    response.flushHeaders();
    if (body !== undefined && body.length > 0) response.write(body);
    this.#linger();
  }

  /** By a clock of its own: that of the socket begins anew with all that the sender sends, or other answers take. */
  #boundReading(): void {
    this.#answerTimer = setTimeout(() => this.#request.socket.destroy(), this.#answerTimeoutMillis);
  }

  /**
   * The answer is out, but the sender still sends, and many read nothing before they have sent all. To close now would
   * reset the connection and take the answer with it. So the rest is read and thrown away, within bounds.
   */
  #linger(): void {
    const request = this.#request;
    let left = this.#lingerBytes;
    const stop = () => {
      clearTimeout(timer);
      this.#response.end();
      if (!request.complete) request.socket.destroySoon();
    };
    const timer = setTimeout(stop, LINGER_MILLIS);
    request.once('end', stop).once('close', stop);
    request.on('data', (chunk: Buffer) => {
      left -= chunk.length;
      // From here on the sender is held up by its own network; the answer is there to be read until the time is over.
      if (left < 0) request.pause();
    });
    request.resume();
    if (request.socket.readableEnded) stop();
  }
}
