import type { Time } from './time.ts';

/** OpenTelemetry's span kinds by their OTLP numbers: 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
export type SpanKind = 0 | 1 | 2 | 3 | 4 | 5;

/**
 * Where spans came from: the identifying part of an OpenTelemetry resource. Spans of one process share one
 * `identity`; clocks of different identities are not comparable to the millisecond.
 */
export interface SpanResource {
  /** Equal for spans of the same process, different otherwise; made of identifying attributes only. */
  readonly identity: string;
  /** `service.name`; undefined where it is missing. */
  readonly serviceName: string | undefined;
}

/**
 * A span as every source delivers it, before anything is recognised. Sources normalise: ids are lower-case hex, and
 * a parent id that is empty or all zeros is undefined.
 */
export interface Span {
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** 16 lower-case hex digits. */
  readonly spanId: string;
  /** 16 lower-case hex digits; undefined for a root. */
  readonly parentSpanId: string | undefined;
  /** Whether the parent is in another process; undefined where the source does not say. */
  readonly parentIsRemote: boolean | undefined;
  readonly name: string;
  readonly kind: SpanKind;
  readonly start: Time;
  /** Undefined while the span is open. */
  readonly end: Time | undefined;
  /** Whether the span's status is ERROR. */
  readonly isError: boolean;
  /** Name of the instrumentation scope (1.x: instrumentation library); empty where missing. */
  readonly scopeName: string;
  readonly resource: SpanResource;
  /**
   * The span's attributes, or at least those that a convention names. Values are of any type: SDK 3 and OTLP allow
   * objects, arrays, bytes and null.
   */
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** What takes spans: the one way into the pipeline, whatever the source. */
export interface SpanConsumer {
  /** Takes ended spans in any order. Never throws and never waits. */
  consume(spans: readonly Span[]): void;
}
