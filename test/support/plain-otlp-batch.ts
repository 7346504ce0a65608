import type { Span, SpanKind, SpanResource } from '../../src/model/span.ts';
import { timeFromUnixNanos } from '../../src/model/time.ts';
import { type DecodedBatch, newAttributes } from '../../src/source/otlp/otlp-batch.ts';

/** A span's fields as they stand in the request, in either encoding. */
export interface RawSpan {
  /** In lower case; empty where missing, `BAD_ID` where it cannot be an id. */
  traceId: string;
  spanId: string;
  parentSpanId: string;
  name: string;
  kind: number;
  /** 0 where missing; undefined where it is not an unsigned 64-bit number. */
  startNanos: bigint | undefined;
  endNanos: bigint | undefined;
  statusCode: number;
  flags: number;
  readonly attributes: Record<string, unknown>;
}

/** Stands for an id of the wrong type or length. */
export const BAD_ID = '?';

export function emptySpan(): RawSpan {
  return {
    traceId: '',
    spanId: '',
    parentSpanId: '',
    name: '',
    kind: 0,
    startNanos: 0n,
    endNanos: 0n,
    statusCode: 0,
    flags: 0,
    attributes: newAttributes(),
  };
}

/** The plain counterpart of OtlpBatch. Turns raw spans into a DecodedBatch: both encodings share what makes a span good. */
export class PlainOtlpBatch {
  readonly #spans: Span[] = [];
  readonly #rejected = new Map<string, number>();
  #unusable = 0;

  add(raw: RawSpan, scopeName: string, resource: SpanResource): void {
    const fault = faultOf(raw);
    if (fault !== undefined) {
      this.reject(fault);
      return;
    }
    if (!raw.startNanos || raw.endNanos === undefined) {
      this.#unusable++;
      return;
    }
    this.#spans.push({
      traceId: raw.traceId,
      spanId: raw.spanId,
      parentSpanId: isParent(raw.parentSpanId) ? raw.parentSpanId : undefined,
      parentIsRemote: (raw.flags & HAS_IS_REMOTE) === 0 ? undefined : (raw.flags & IS_REMOTE) !== 0,
      name: raw.name,
      kind: isSpanKind(raw.kind) ? raw.kind : 0,
      start: timeFromUnixNanos(raw.startNanos),
      end: raw.endNanos ? timeFromUnixNanos(raw.endNanos) : undefined,
      isError: raw.statusCode === STATUS_ERROR,
      scopeName,
      resource,
      attributes: raw.attributes,
    });
  }

  /** Counts a span that cannot be used. `fault` is one of a few fixed texts. */
  reject(fault: string): void {
    this.#rejected.set(fault, (this.#rejected.get(fault) ?? 0) + 1);
  }

  finish(): DecodedBatch {
    let rejected = 0;
    for (const count of this.#rejected.values()) rejected += count;
    const unusable = this.#unusable > 0 && { unusable: this.#unusable };
    if (rejected === 0) return { spans: this.#spans, rejected, ...unusable };
    const faults = [...this.#rejected].map(([fault, count]) => `${fault} (${count})`);
    const message = `${rejected} ${rejected === 1 ? 'span' : 'spans'} rejected: ${faults.join(', ')}`;
    return { spans: this.#spans, rejected, message, ...unusable };
  }
}

/** Bits of a span's `flags` from opentelemetry-proto 1.11: whether it says anything of its parent, and what. */
const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;
const STATUS_ERROR = 2;

const TRACE_ID = /^[0-9a-f]{32}$/;
const SPAN_ID = /^[0-9a-f]{16}$/;
const ZERO_TRACE_ID = '0'.repeat(32);
const ZERO_SPAN_ID = '0'.repeat(16);

function faultOf(raw: RawSpan): string | undefined {
  if (!TRACE_ID.test(raw.traceId)) return 'the trace id is not 16 bytes';
  if (raw.traceId === ZERO_TRACE_ID) return 'the trace id is all zeros';
  if (!SPAN_ID.test(raw.spanId)) return 'the span id is not 8 bytes';
  if (raw.spanId === ZERO_SPAN_ID) return 'the span id is all zeros';
  return undefined;
}

function isParent(parentSpanId: string): boolean {
  return SPAN_ID.test(parentSpanId) && parentSpanId !== ZERO_SPAN_ID;
}

function isSpanKind(kind: number): kind is SpanKind {
  return Number.isInteger(kind) && kind >= 0 && kind <= 5;
}
