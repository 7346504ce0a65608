import { status as codes, Metadata, type ServiceError } from '@grpc/grpc-js';
import { BoundedBytes } from '../../source/receiver/bounded-bytes.ts';
import { inflate } from '../../source/receiver/inflate.ts';
import type { OtlpRequest, OtlpSignal, UpstreamAnswer } from '../../source/receiver/otlp-sink.ts';
import { Room } from '../../source/receiver/room.ts';
import { forwardAnswer } from './forward-answer.ts';
import { GrpcConnection, type GrpcOutcome } from './forward-grpc-connection.ts';
import { forwardHeaders } from './forward-headers.ts';
import { retryInfoSeconds } from './forward-retry-info.ts';
import type { ForwardTls, Upstream, UpstreamOptions, UpstreamReply } from './forward-upstream.ts';

/** After so many calls in a row without an answer the connection is taken for dead, and made anew. */
const MAX_UNANSWERED = 5;

/** The most that a body may inflate to. Receivers have looked at it before. */
const MAX_INFLATED_BYTES = 1_073_741_824;

/** An upstream that takes OTLP/gRPC. Messages go on as the bytes they are; nothing is decoded. */
export class GrpcUpstream implements Upstream {
  readonly #options: UpstreamOptions;
  #tls: ForwardTls;
  #connection: GrpcConnection;
  /** Those that were replaced, while they have calls. */
  readonly #retired = new Set<GrpcConnection>();
  #unanswered = 0;

  constructor(options: UpstreamOptions) {
    this.#options = options;
    this.#tls = options.tls;
    this.#connection = new GrpcConnection(options, options.tls);
  }

  refusalOf(request: OtlpRequest): UpstreamAnswer | undefined {
    if (request.contentType !== 'application/json') return undefined;
    const message =
      'requests are forwarded over gRPC here, which takes no JSON; send application/x-protobuf, or forward over HTTP';
    return forwardAnswer.failure(request, 415, message);
  }

  async send(request: OtlpRequest): Promise<UpstreamReply> {
    let message: Buffer;
    let metadata: Metadata;
    try {
      message = await messageOf(request);
      metadata = metadataOf(request, this.#options.headers);
    } catch {
      const answer = forwardAnswer.failure(request, 400, 'the body cannot be sent on as a gRPC message');
      return { outcome: 'rejected', cause: 'no gRPC message', answer };
    }
    let outcome: GrpcOutcome;
    try {
      const { timeoutMillis } = this.#options;
      outcome = await this.#connection.call(METHODS[request.signal], message, metadata, timeoutMillis);
    } catch {
      const answer = forwardAnswer.failure(request, 503, 'forwarding is closing');
      return { outcome: 'again', cause: 'closed', answer };
    }
    const { error, body } = outcome;
    if (error === undefined) {
      this.#unanswered = 0;
      return { outcome: 'delivered', cause: 'gRPC OK', answer: { ...forwardAnswer.success(request), body } };
    }
    this.#unanswered = error.code === codes.DEADLINE_EXCEEDED ? this.#unanswered + 1 : 0;
    if (this.#unanswered >= MAX_UNANSWERED) this.#reconnect();
    return failureOf(request, error);
  }

  renew(tls: ForwardTls): void {
    this.#tls = tls;
    if (this.#options.endpoint.protocol === 'https:') this.#reconnect();
  }

  close(): void {
    for (const connection of [this.#connection, ...this.#retired]) connection.close();
  }

  /** Calls that are under way end on the connection they began on. */
  #reconnect(): void {
    const old = this.#connection;
    this.#unanswered = 0;
    this.#connection = new GrpcConnection(this.#options, this.#tls);
    this.#retired.add(old);
    void old.retire().then(() => this.#retired.delete(old));
  }
}

const METHODS: Readonly<Record<OtlpSignal, string>> = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
};

/** Codes that OTLP lets a sender try again; RESOURCE_EXHAUSTED only where the answer says when. */
const AGAIN: ReadonlySet<number> = new Set([
  codes.CANCELLED,
  codes.DEADLINE_EXCEEDED,
  codes.ABORTED,
  codes.OUT_OF_RANGE,
  codes.UNAVAILABLE,
  codes.DATA_LOSS,
]);

/** HTTP statuses that ask the sender for the same as the code does. */
const STATUS_BY_CODE: ReadonlyMap<number, number> = new Map([
  [codes.INVALID_ARGUMENT, 400],
  [codes.FAILED_PRECONDITION, 400],
  [codes.UNAUTHENTICATED, 401],
  [codes.PERMISSION_DENIED, 403],
  [codes.NOT_FOUND, 404],
  [codes.UNIMPLEMENTED, 404],
  [codes.RESOURCE_EXHAUSTED, 413],
  [codes.DEADLINE_EXCEEDED, 504],
]);

async function messageOf(request: OtlpRequest): Promise<Buffer> {
  const { body, contentEncoding } = request;
  if (contentEncoding === undefined) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const room = new Room({ admit: () => () => {} }, request);
  return await inflate(body, contentEncoding, () => new BoundedBytes(room, MAX_INFLATED_BYTES));
}

function metadataOf(request: OtlpRequest, configured: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata();
  for (const [name, values] of Object.entries(forwardHeaders(request, configured, 'grpc'))) {
    for (const value of [values].flat()) addTo(metadata, name, value);
  }
  return metadata;
}

/** Metadata takes less than HTTP's header fields do; what it does not take is left out, not fatal. */
function addTo(metadata: Metadata, name: string, value: string): void {
  try {
    metadata.add(name, name.endsWith('-bin') ? Buffer.from(value, 'base64') : value);
  } catch {
    // a character that gRPC does not allow
  }
}

function failureOf(request: OtlpRequest, error: ServiceError): UpstreamReply {
  const { code, details, metadata } = error;
  const [status] = metadata.get('grpc-status-details-bin');
  const own = Buffer.isBuffer(status) ? status : undefined;
  const seconds = own && retryInfoSeconds(own);
  const comesAgain = AGAIN.has(code) || (code === codes.RESOURCE_EXHAUSTED && seconds !== undefined);
  const httpStatus = httpStatusOf(code, seconds);
  const answer = forwardAnswer.failure(request, httpStatus, details, seconds, code);
  return {
    outcome: comesAgain ? 'again' : 'rejected',
    cause: `gRPC ${codes[code] ?? code}`,
    answer: { ...answer, ...(own && { body: own }), grpcStatus: { code, message: details, details: own } },
  };
}

function httpStatusOf(code: number, seconds: number | undefined): number {
  if (code === codes.RESOURCE_EXHAUSTED && seconds !== undefined) return 429;
  return STATUS_BY_CODE.get(code) ?? (AGAIN.has(code) ? 503 : 500);
}
