import type { ReceiverTls } from './certificate-files.ts';
import type { ReceiverToken } from './gate.ts';
import type { OtlpSignal, OtlpSink } from './otlp-sink.ts';

/** What a receiver of either transport is told. */
export interface ReceiverOptions {
  readonly sink: OtlpSink;
  /** Address to listen on, such as 127.0.0.1. */
  readonly host: string;
  /** 0 takes a free one, which `listen` reports. */
  readonly port: number;
  readonly tls?: ReceiverTls;
  /** With tokens, senders must show one of them. */
  readonly auth?: { readonly tokens: readonly ReceiverToken[] };
  /** Largest body in bytes, as it comes and inflated. Default 64 MiB. */
  readonly maxRequestBodySize?: number;
  /** Senders beyond so many connections are told to come again; a few more, and new ones are cut off. Default 1,024. */
  readonly maxConnections?: number;
  /** How long a sender may take until its headers are whole. Default 10,000. */
  readonly headersTimeoutMillis?: number;
  /** How long it may take from then until its body is whole. Default 30,000. */
  readonly bodyTimeoutMillis?: number;
  /** How long it may take to read its answer; then nobody wants it. Default 30,000. */
  readonly answerTimeoutMillis?: number;
  /** After so long without a request a connection is closed. Default 75,000: SDKs send every few seconds and keep theirs. */
  readonly idleTimeoutMillis?: number;
  /** Hears of each answer, for metrics. */
  readonly onAnswer?: (answer: AnswerSummary) => void;
}

/** How one request was answered, without anything of what it held. */
export interface AnswerSummary {
  readonly transport: 'http' | 'grpc';
  /** Undefined where the path names none. */
  readonly signal: OtlpSignal | undefined;
  /** HTTP status, or gRPC code. */
  readonly status: number;
}

/** Where a receiver listens. */
export interface BoundAddress {
  readonly host: string;
  readonly port: number;
}

export type ResolvedReceiverOptions = ReceiverOptions &
  Required<
    Pick<
      ReceiverOptions,
      | 'maxRequestBodySize'
      | 'maxConnections'
      | 'headersTimeoutMillis'
      | 'bodyTimeoutMillis'
      | 'answerTimeoutMillis'
      | 'idleTimeoutMillis'
    >
  >;

/** @throws RangeError for a number out of range. */
export function resolveReceiverOptions(
  options: ReceiverOptions,
  idleTimeoutMillis: number,
): ResolvedReceiverOptions {
  const resolved = {
    ...options,
    maxRequestBodySize: options.maxRequestBodySize ?? 64 * 2 ** 20,
    maxConnections: options.maxConnections ?? 1_024,
    headersTimeoutMillis: options.headersTimeoutMillis ?? 10_000,
    bodyTimeoutMillis: options.bodyTimeoutMillis ?? 30_000,
    answerTimeoutMillis: options.answerTimeoutMillis ?? 30_000,
    idleTimeoutMillis: options.idleTimeoutMillis ?? idleTimeoutMillis,
  };
  const { port, maxRequestBodySize } = resolved;
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new RangeError(`port must be a whole number from 0 to 65535, not ${String(port)}`);
  }
  for (const name of NUMBERS) {
    const value = resolved[name];
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`${name} must be a whole number above 0, not ${String(value)}`);
    }
  }
  if (maxRequestBodySize > MAX_BODY_SIZE) {
    throw new RangeError(`maxRequestBodySize must be at most ${MAX_BODY_SIZE}, not ${maxRequestBodySize}`);
  }
  return resolved;
}

const NUMBERS = [
  'maxRequestBodySize',
  'maxConnections',
  'headersTimeoutMillis',
  'bodyTimeoutMillis',
  'answerTimeoutMillis',
  'idleTimeoutMillis',
] as const;

/** Beyond it a body of JSON is more than a JavaScript string can hold. */
const MAX_BODY_SIZE = 2 ** 29 - 64;
