import {
  type ChannelCredentials,
  Client,
  type ClientUnaryCall,
  status as codes,
  credentials,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import type { OtlpRequest, OtlpSignal, UpstreamAnswer } from '../source/otlp-sink.ts';
import { BoundedBytes } from '../source/receiver/bounded-bytes.ts';
import { inflate } from '../source/receiver/inflate.ts';
import { Room } from '../source/receiver/room.ts';
import { forwardAnswer } from './forward-answer.ts';
import { forwardHeaders } from './forward-headers.ts';
import { retryInfoSeconds } from './forward-retry-info.ts';
import {
  MAX_ANSWER_BYTES,
  type Upstream,
  type UpstreamOptions,
  type UpstreamReply,
} from './forward-upstream.ts';

/** After so many calls in a row without an answer the connection is taken for dead, and made anew. */
const MAX_UNANSWERED = 5;

/** The most that a body may inflate to. Receivers have looked at it before. */
const MAX_INFLATED_BYTES = 1_073_741_824;

/** An upstream that takes OTLP/gRPC. Messages go on as the bytes they are; nothing is decoded. */
export class GrpcUpstream implements Upstream {
  readonly #options: UpstreamOptions;
  readonly #credentials: ChannelCredentials;
  readonly #calls = new Set<ClientUnaryCall>();
  #client: Client;
  #unanswered = 0;

  constructor(options: UpstreamOptions) {
    this.#options = options;
    this.#credentials = credentialsOf(options);
    this.#client = this.#connect();
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
    let outcome: Outcome;
    try {
      outcome = await this.#call(request.signal, message, metadata);
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

  close(): void {
    for (const call of this.#calls) call.cancel();
    this.#client.close();
  }

  /** Rejects once the client is closed. */
  #call(signal: OtlpSignal, message: Buffer, metadata: Metadata): Promise<Outcome> {
    const deadline = Date.now() + this.#options.timeoutMillis;
    return new Promise((resolve) => {
      const call = this.#client.makeUnaryRequest(
        METHODS[signal],
        asIs,
        asIs,
        message,
        metadata,
        { deadline },
        (error, body = Buffer.alloc(0)) => {
          this.#calls.delete(call);
          resolve({ error: error ?? undefined, body });
        },
      );
      this.#calls.add(call);
    });
  }

  #connect(): Client {
    return new Client(targetOf(this.#options.endpoint), this.#credentials, {
      'grpc.max_receive_message_length': MAX_ANSWER_BYTES,
      'grpc.max_send_message_length': -1,
      'grpc.default_compression_algorithm': this.#options.compression === 'gzip' ? 2 : 0,
      // Trying again is the forwarder's business, and so is noticing soon that the upstream is back.
      'grpc.enable_retries': 0,
      'grpc.initial_reconnect_backoff_ms': 500,
      'grpc.max_reconnect_backoff_ms': 5_000,
      // A new client makes a connection of its own, and is not given one that was found dead.
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_http_proxy': 0,
    });
  }

  #reconnect(): void {
    this.#unanswered = 0;
    this.#client.close();
    this.#client = this.#connect();
  }
}

interface Outcome {
  readonly error: ServiceError | undefined;
  readonly body: Buffer;
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

function asIs(bytes: Buffer): Buffer {
  return bytes;
}

function credentialsOf({ endpoint, tls }: UpstreamOptions): ChannelCredentials {
  if (endpoint.protocol === 'http:') return credentials.createInsecure();
  const [ca, key, cert] = [tls.ca, tls.key, tls.cert].map((pem) =>
    pem === undefined ? null : Buffer.from(pem),
  );
  return credentials.createSsl(ca, key, cert, { rejectUnauthorized: !tls.insecureSkipVerify });
}

function targetOf({ protocol, hostname, port }: URL): string {
  return `dns:${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`;
}

async function messageOf({ body, contentEncoding }: OtlpRequest): Promise<Buffer> {
  if (contentEncoding === undefined) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const room = new Room({ admit: () => () => {} });
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
    answer: own === undefined ? answer : { ...answer, body: own },
  };
}

function httpStatusOf(code: number, seconds: number | undefined): number {
  if (code === codes.RESOURCE_EXHAUSTED && seconds !== undefined) return 429;
  return STATUS_BY_CODE.get(code) ?? (AGAIN.has(code) ? 503 : 500);
}
