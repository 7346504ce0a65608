import {
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import { CONTENT_ENCODINGS } from './inflate.ts';
import type { Taken } from './intake.ts';
import type { GrpcStatus, OtlpSignal, UpstreamAnswer } from './otlp-sink.ts';
import { encodeExportResponse, encodeStatus, hasDetails, readStatus } from './otlp-status.ts';
import type { ResolvedReceiverOptions } from './receiver-options.ts';
import { CODES, Refusal } from './refusal.ts';

const METHODS: ReadonlyMap<string, OtlpSignal> = new Map([
  ['/opentelemetry.proto.collector.trace.v1.TraceService/Export', 'traces'],
  ['/opentelemetry.proto.collector.metrics.v1.MetricsService/Export', 'metrics'],
  ['/opentelemetry.proto.collector.logs.v1.LogsService/Export', 'logs'],
]);

const LINGER_MILLIS = 3_000;
const MIN_LINGER_BYTES = 2 ** 20;

type CallBounds = Pick<ResolvedReceiverOptions, 'maxRequestBodySize' | 'answerTimeoutMillis'>;

/** One gRPC call on its HTTP/2 stream, and its one answer. */
export class GrpcCall {
  /** Undefined where the path names none. */
  readonly signal: OtlpSignal | undefined;
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  readonly #lingerBytes: number;
  readonly #answerTimeoutMillis: number;
  readonly #timers: NodeJS.Timeout[] = [];
  #code: number | undefined;

  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    { maxRequestBodySize, answerTimeoutMillis }: CallBounds,
  ) {
    this.#stream = stream;
    this.#headers = headers;
    this.#lingerBytes = Math.max(2 * maxRequestBodySize, MIN_LINGER_BYTES);
    this.#answerTimeoutMillis = answerTimeoutMillis;
    this.signal = METHODS.get(headers[':path'] ?? '');
    // A sender may go away at any time, and nobody need hear of it.
    stream.on('error', () => {});
  }

  /** The gRPC code it was answered with. */
  get code(): number | undefined {
    return this.#code;
  }

  /** Why it is no call of gRPC at all, to be answered as any other request over HTTP/2; undefined where it is one. */
  get httpRefusal(): Refusal | undefined {
    if (this.#headers[':method'] !== 'POST') return Refusal.wrongMethod('POST');
    const isGrpc = /^application\/grpc(?:\+proto)?(?:;|$)/i.test(this.#headers['content-type'] ?? '');
    return isGrpc ? undefined : Refusal.unknownContentType(['application/grpc']);
  }

  answer(taken: Taken): void {
    const status = 'upstream' in taken ? taken.upstream.grpcStatus : undefined;
    if (status !== undefined) this.#fail(status);
    else if ('upstream' in taken && taken.upstream.status >= 300) this.refuse(refusalOf(taken.upstream));
    else if ('upstream' in taken) this.#succeed(taken.upstream.body);
    else this.#succeed(encodeExportResponse(taken.result, 'protobuf'));
  }

  refuse(refusal: Refusal): void {
    const { code, message } = refusal;
    const details = hasDetails(refusal) ? encodeStatus(refusal, 'protobuf') : undefined;
    this.#fail({ code, message, details });
  }

  /** Answers what is no gRPC in plain HTTP. */
  refuseHttp(refusal: Refusal): void {
    const { httpStatus, headers } = refusal;
    this.#code = refusal.code;
    if (this.#stream.destroyed) return;
    this.#boundReading();
    this.#stream.respond({ ':status': httpStatus, 'content-type': 'application/json', ...headers });
    this.#stream.end(encodeStatus(refusal, 'json'));
    this.#linger();
  }

  /** Its stream is closed, and has to be told so: a listener of its own for each timer costs more than the timer. */
  end(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #later(action: () => void, millis: number): void {
    this.#timers.push(setTimeout(action, millis));
  }

  #fail({ code, message, details }: GrpcStatus): void {
    if (this.#code !== undefined) return;
    this.#respond(code, {
      'grpc-status': code,
      'grpc-message': percentEncoded(message),
      ...(details && { 'grpc-status-details-bin': Buffer.from(details).toString('base64') }),
    });
    this.#linger();
  }

  #succeed(message: Uint8Array): void {
    if (this.#stream.destroyed || this.#code !== undefined) return;
    this.#stream.once('wantTrailers', () => this.#stream.sendTrailers({ 'grpc-status': CODES.ok }));
    this.#respond(CODES.ok, {}, { waitForTrailers: true });
    this.#stream.end(message.length === 0 ? EMPTY_MESSAGE : framed(message));
  }

  #respond(code: number, fields: OutgoingHttpHeaders, options: object = { endStream: true }): void {
    if (this.#stream.destroyed || this.#code !== undefined) return;
    this.#code = code;
    this.#boundReading();
    const headers = { ':status': 200, 'content-type': 'application/grpc', 'grpc-accept-encoding': ACCEPTED };
    this.#stream.respond({ ...headers, ...fields }, options);
  }

  /** By a clock of its own: that of the stream begins anew with whatever else the connection carries. */
  #boundReading(): void {
    this.#later(() => this.#stream.close(constants.NGHTTP2_CANCEL), this.#answerTimeoutMillis);
  }

  /** The sender may still send; what comes is thrown away for a while, then it is told that nobody listens. */
  #linger(): void {
    const stream = this.#stream;
    let left = this.#lingerBytes;
    const stop = () => stream.close(constants.NGHTTP2_NO_ERROR);
    this.#later(stop, LINGER_MILLIS);
    stream.on('data', (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0) stop();
    });
    stream.resume();
  }
}

const PREFIX_BYTES = 5;
/** What all is answered with where all is well. */
const EMPTY_MESSAGE = framed(new Uint8Array());

function framed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

const ACCEPTED = CONTENT_ENCODINGS.join(',');

/** What may stand in `grpc-message` as it is; all else is escaped as in a URL. */
function percentEncoded(message: string): string {
  const wellFormed = Buffer.from(message).toString();
  return wellFormed.replace(/[^\x20-\x24\x26-\x7e]/gu, encodeURIComponent);
}

/** The upstream may be one of HTTP; what may be tried again there may be tried again here. */
function refusalOf({ status, retryAfterSeconds, body }: UpstreamAnswer): Refusal {
  const said = readStatus(body);
  const code = UNAVAILABLE.has(status) ? CODES.unavailable : (said?.code ?? CODES_BY_STATUS.get(status));
  const message = said?.message || `the upstream answered with HTTP status ${status}`;
  return new Refusal(status, code ?? CODES.unknown, message, {
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  });
}

const UNAVAILABLE = new Set([429, 502, 503, 504]);
const CODES_BY_STATUS: ReadonlyMap<number, number> = new Map([
  [400, CODES.invalidArgument],
  [401, CODES.unauthenticated],
  [403, CODES.permissionDenied],
  [404, CODES.unimplemented],
  [413, CODES.resourceExhausted],
]);
