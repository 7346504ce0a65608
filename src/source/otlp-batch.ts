import type { Span, SpanKind, SpanResource } from '../model/span.ts';
import type { Time } from '../model/time.ts';

/** What one OTLP request held: its good spans, and how many were not usable. */
export interface DecodedBatch {
  readonly spans: readonly Span[];
  /** Spans left out because their ids or times are not valid. */
  readonly rejected: number;
  /** Why, with counts; holds nothing of the spans. Absent where none was rejected. */
  readonly message?: string;
}

/** Whether a span attribute is read at all. Values of others are never decoded. */
export type Wants = (key: string) => boolean;

/** Stands for an id of the wrong type or length. */
export const BAD_ID = '?';

/** Stands for what is not an unsigned 64-bit number. */
export const BAD_TIME: Time = [-1, 0];

export type Attributes = Record<string, unknown>;

/**
 * Objects that inherit nothing, so that `__proto__` is a key like any other. Unlike objects without a prototype, which
 * the engine keeps as hash tables, they are small and quick to read.
 */
class Inheritless {
  [key: string]: unknown;
}
Object.setPrototypeOf(Inheritless.prototype, null);
Reflect.deleteProperty(Inheritless.prototype, 'constructor');

export function newAttributes(): Attributes {
  return new Inheritless();
}

/** Of a span of which nothing is wanted; most spans of most requests are such. */
export const NO_ATTRIBUTES: Attributes = Object.freeze(newAttributes());

/** Turns raw spans into a DecodedBatch: both encodings share what makes a span good. */
export class OtlpBatch {
  #spans: Span[] = [];
  #rejected = new Map<string, number>();

  /**
   * Takes a span's fields as they stand in the request: ids in lower case, empty where missing, `BAD_ID` where they are
   * none; times undefined where 0 or missing, `BAD_TIME` where they are none.
   */
  add(
    traceId: string,
    spanId: string,
    parentSpanId: string,
    name: string,
    kind: number,
    start: Time | undefined,
    end: Time | undefined,
    attributes: Attributes,
    statusCode: number,
    flags: number,
    scopeName: string,
    resource: SpanResource,
  ): void {
    const fault = faultOf(traceId, spanId, parentSpanId, start, end);
    if (fault !== undefined || start === undefined) {
      this.reject(fault ?? 'the start time is missing');
      return;
    }
    this.#spans.push({
      traceId,
      spanId,
      parentSpanId: isNoParent(parentSpanId) ? undefined : parentSpanId,
      parentIsRemote: (flags & HAS_IS_REMOTE) === 0 ? undefined : (flags & IS_REMOTE) !== 0,
      name,
      kind: isSpanKind(kind) ? kind : 0,
      start,
      end,
      isError: statusCode === STATUS_ERROR,
      scopeName,
      resource,
      attributes,
    });
  }

  /** Counts a span that cannot be used. `fault` is one of a few fixed texts. */
  reject(fault: string): void {
    this.#rejected.set(fault, (this.#rejected.get(fault) ?? 0) + 1);
  }

  /** Gives what there is and begins anew. */
  take(): DecodedBatch {
    const spans = this.#spans;
    const faults = this.#rejected;
    this.#spans = [];
    if (faults.size === 0) return { spans, rejected: 0 };
    this.#rejected = new Map();
    let rejected = 0;
    for (const count of faults.values()) rejected += count;
    const texts = [...faults].map(([fault, count]) => `${fault} (${count})`);
    const message = `${rejected} ${rejected === 1 ? 'span' : 'spans'} rejected: ${texts.join(', ')}`;
    return { spans, rejected, message };
  }
}

/** Bits of a span's `flags` from opentelemetry-proto 1.11: whether it says anything of its parent, and what. */
const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;
const STATUS_ERROR = 2;

const ZERO_TRACE_ID = '0'.repeat(32);
const ZERO_SPAN_ID = '0'.repeat(16);

/** A span without a start would seem to overlap everything, so it is no better than one without an id. */
function faultOf(
  traceId: string,
  spanId: string,
  parentSpanId: string,
  start: Time | undefined,
  end: Time | undefined,
): string | undefined {
  if (traceId.length !== ZERO_TRACE_ID.length) return 'the trace id is not 16 bytes';
  if (traceId === ZERO_TRACE_ID) return 'the trace id is all zeros';
  if (spanId.length !== ZERO_SPAN_ID.length) return 'the span id is not 8 bytes';
  if (spanId === ZERO_SPAN_ID) return 'the span id is all zeros';
  if (parentSpanId !== '' && parentSpanId.length !== ZERO_SPAN_ID.length)
    return 'the parent span id is not 8 bytes';
  return start === BAD_TIME || end === BAD_TIME ? 'a time is not an unsigned 64-bit number' : undefined;
}

function isNoParent(parentSpanId: string): boolean {
  return parentSpanId === '' || parentSpanId === ZERO_SPAN_ID;
}

function isSpanKind(kind: number): kind is SpanKind {
  return Number.isInteger(kind) && kind >= 0 && kind <= 5;
}
