import type { Wants } from '../../conventions/attribute-names.ts';
import type { Span } from '../../model/span.ts';
import type { DecodedBatch } from '../otlp/otlp-batch.ts';

/** The three kinds of data that one OTLP endpoint takes. Only traces are learned from. */
export type OtlpSignal = 'traces' | 'metrics' | 'logs';

/** One export request, as it came: what forwarding needs, which is everything. */
export interface OtlpRequest {
  readonly signal: OtlpSignal;
  readonly transport: 'http' | 'grpc';
  /** Of an HTTP body; a gRPC message is always protobuf. */
  readonly contentType: 'application/x-protobuf' | 'application/json';
  /** As the sender named it (`gzip`, …); undefined for a body that is not compressed. gRPC messages come uncompressed. */
  readonly contentEncoding: string | undefined;
  /**
   * Header or metadata fields in lower case, without those that belong to this hop or let the sender in here; empty where
   * the sink ignores bodies.
   */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** Byte for byte as it came, still compressed; may be empty where the sink ignores bodies. */
  readonly body: Uint8Array;
  /** Whose data it is, by the credential the sender showed; undefined where there is one tenant only. */
  readonly tenant: string | undefined;
}

/** The answer of the place a request was forwarded to, for a sender that is to get that answer. */
export interface UpstreamAnswer {
  /** HTTP status, or the one that stands for the upstream's gRPC code. */
  readonly status: number;
  readonly retryAfterSeconds: number | undefined;
  /** In the encoding of the request: an Export…ServiceResponse or a google.rpc.Status. At most 4 MiB. */
  readonly body: Uint8Array;
  /** Further header fields of an answer over HTTP, without those of its connection and those that describe its body. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** The failure that an upstream of gRPC answered with, in full; for senders that speak gRPC too. */
  readonly grpcStatus?: GrpcStatus;
}

/** How a gRPC call ended. */
export interface GrpcStatus {
  readonly code: number;
  readonly message: string;
  /** A google.rpc.Status; undefined where none came. */
  readonly details: Uint8Array | undefined;
}

/** What is known of a request before its body. */
export type RequestOwner = Pick<OtlpRequest, 'signal' | 'tenant'>;

/**
 * What stands behind the receivers: it says whether there is room, learns, and passes on. Receivers decode and answer;
 * they know nothing of plans or forwarding.
 */
export interface OtlpSink {
  /**
   * Asks for room for so many bytes more of a request, before they are read or inflated. One request asks several times,
   * as what is known of its size grows: for its body as it comes, and again for what that is inflated to.
   * @returns what gives the room back, to be called exactly once; undefined where there is none: the sender is to come
   * again in a second or two.
   */
  admit(bytes: number, request: RequestOwner): (() => void) | undefined;
  /**
   * Whether nothing looks at the body of a request, nor at its fields: then spans are decoded as they come in, bodies that
   * are needed for that use the same memory again, and `accept` may be given an empty one. Absent where these are looked
   * at.
   */
  readonly ignoresBodies?: boolean;
  /** Whether a span attribute is decoded at all. */
  readonly wants: Wants;
  /** Takes spans of a request that is too large to be decoded in one go; `accept` follows with the last. Never throws. */
  learn(spans: readonly Span[], request: RequestOwner): void;
  /**
   * Takes a request that was decoded (traces) or left as it is (metrics and logs: `batch` is undefined). Never throws.
   * @returns undefined where the receiver answers by itself at once; else what it waits for: the answer of the
   * upstream, to be passed to the sender, or undefined once the request rests where it cannot be lost.
   */
  accept(
    request: OtlpRequest,
    batch: DecodedBatch | undefined,
  ): Promise<UpstreamAnswer | undefined> | undefined;
}
