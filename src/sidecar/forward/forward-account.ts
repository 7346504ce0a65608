import type { OtlpSignal } from '../../source/receiver/otlp-sink.ts';

/** Why a request that was taken was not forwarded. The same words in metrics, logs and tests. */
export type ForwardDropReason =
  /** The queue in memory had no room for it. */
  | 'queue_full'
  /** The upstream will not have it: an answer that is not to be tried again. */
  | 'rejected'
  /** It was tried for as long as it may be. */
  | 'retry_expired'
  /** Its entry in the durable queue is damaged. */
  | 'unreadable'
  /** It could not be sent before the process ended. */
  | 'shutdown';

/** Why a request was not taken, and its sender told so. */
export type ForwardRefusalReason =
  /** The durable queue had no room for it. */
  | 'queue_full'
  /** It could not be written to the durable queue. */
  | 'not_stored'
  /** OTLP/JSON, which cannot be forwarded over gRPC. */
  | 'json_over_grpc'
  /** With sync: the upstream had no time for it, or was not there. */
  | 'unavailable'
  /** With sync: the upstream will not have it. */
  | 'rejected'
  /** The process ends. */
  | 'shutdown';

/** A request that was dropped; nothing of what it says. */
export interface ForwardDrop {
  readonly reason: ForwardDropReason;
  /** undefined for one that was never read from the durable queue. */
  readonly signal: OtlpSignal | undefined;
  readonly bytes: number;
  /** Such as `HTTP 400`; empty where the upstream has no part in it. */
  readonly cause: string;
}

/** received = sent + refused + dropped + queued + held, at every moment. */
export interface ForwarderStats {
  /** Requests that came, and those found in the durable queue. */
  readonly received: number;
  readonly sent: number;
  /** Requests that were not taken, and whose sender was told so. */
  readonly refused: number;
  /** The same by reason. */
  readonly refusals: Readonly<Record<ForwardRefusalReason, number>>;
  readonly dropped: Readonly<Record<ForwardDropReason, number>>;
  /** Requests that wait or are being sent. */
  readonly queuedRequests: number;
  readonly queuedBytes: number;
  /** Requests that were left in the durable queue at close, for the next process. */
  readonly held: number;
  /** Further tries. */
  readonly retries: number;
}

/** Counts what becomes of requests. */
export class ForwardAccount {
  received = 0;
  sent = 0;
  held = 0;
  retries = 0;
  readonly refusals: Record<ForwardRefusalReason, number> = {
    queue_full: 0,
    not_stored: 0,
    json_over_grpc: 0,
    unavailable: 0,
    rejected: 0,
    shutdown: 0,
  };
  readonly dropped: Record<ForwardDropReason, number> = {
    queue_full: 0,
    rejected: 0,
    retry_expired: 0,
    unreadable: 0,
    shutdown: 0,
  };
}
