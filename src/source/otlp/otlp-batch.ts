import type { Span, SpanKind, SpanResource } from '../../model/span.ts';
import type { Time } from '../../model/time.ts';
import { keepCompiled } from '../../support/keep-compiled.ts';

/** What one OTLP request held: its good spans, and how many others. */
export interface DecodedBatch {
  readonly spans: readonly Span[];
  /** Spans left out because their ids are none. */
  readonly rejected: number;
  /** Why, with counts; holds nothing of the spans. Absent where none was rejected. */
  readonly message?: string;
  /**
   * Spans that are good to pass on, so that their sender need not hear of them, but not to learn from: without a start
   * one would seem to overlap everything. Absent where there is none.
   */
  readonly unusable?: number;
}

/** A request that is decoded a piece at a time. At the end come its last spans, with the counts for all of it. */
export type SpanPieces = Generator<readonly Span[], DecodedBatch, undefined>;

/** All at once. */
export function wholeOf(pieces: SpanPieces): DecodedBatch {
  const before: (readonly Span[])[] = [];
  for (;;) {
    const { done, value } = pieces.next();
    if (done) return before.length === 0 ? value : { ...value, spans: [...before.flat(), ...value.spans] };
    before.push(value);
  }
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
  readonly #rejected = new Map<string, number>();
  /** The fault of the span that was rejected last, and how many had it since there was another. */
  #fault: string | undefined;
  #count = 0;
  #unusable = 0;

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
    const fault = faultOf(traceId, spanId);
    if (fault !== undefined) {
      this.reject(fault);
      return;
    }
    if (start === undefined || start === BAD_TIME || end === BAD_TIME) {
      this.#unusable++;
      return;
    }
    this.#spans.push({
      traceId,
      spanId,
      parentSpanId: isParent(parentSpanId) ? parentSpanId : undefined,
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

  /** Counts a span whose ids are none. `fault` is one of a few fixed texts. */
  reject(fault: string): void {
    if (fault !== this.#fault) this.#settleFault(fault);
    this.#count++;
  }

  #settleFault(next?: string): void {
    if (this.#fault !== undefined) {
      this.#rejected.set(this.#fault, (this.#rejected.get(this.#fault) ?? 0) + this.#count);
    }
    this.#fault = next;
    this.#count = 0;
  }

  /** Counts a span that cannot be learned from. */
  leaveOut(): void {
    this.#unusable++;
  }

  /** Gives the spans that came since it was last asked. */
  piece(): readonly Span[] {
    const spans = this.#spans;
    this.#spans = [];
    return spans;
  }

  /** Gives what there is. Counts are those of all pieces. */
  take(): DecodedBatch {
    const spans = this.piece();
    const unusable = this.#unusable === 0 ? {} : { unusable: this.#unusable };
    if (this.#fault === undefined) return { spans, rejected: 0, ...unusable };
    this.#settleFault();
    const faults = this.#rejected;
    let rejected = 0;
    for (const count of faults.values()) rejected += count;
    const texts = [...faults].map(([fault, count]) => `${fault} (${count})`);
    const message = `${rejected} ${rejected === 1 ? 'span' : 'spans'} rejected: ${texts.join(', ')}`;
    return { spans, rejected, message, ...unusable };
  }
}

/** Bits of a span's `flags` from opentelemetry-proto 1.11: whether it says anything of its parent, and what. */
const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;
const STATUS_ERROR = 2;

const ZERO_TRACE_ID = '0'.repeat(32);
const ZERO_SPAN_ID = '0'.repeat(16);

function faultOf(traceId: string, spanId: string): string | undefined {
  if (traceId.length !== ZERO_TRACE_ID.length) return 'the trace id is not 16 bytes';
  if (traceId === ZERO_TRACE_ID) return 'the trace id is all zeros';
  if (spanId.length !== ZERO_SPAN_ID.length) return 'the span id is not 8 bytes';
  return spanId === ZERO_SPAN_ID ? 'the span id is all zeros' : undefined;
}

/** What is no id names nobody: of such a parent nothing is known. */
function isParent(parentSpanId: string): boolean {
  return parentSpanId.length === ZERO_SPAN_ID.length && parentSpanId !== ZERO_SPAN_ID;
}

function isSpanKind(kind: number): kind is SpanKind {
  return Number.isInteger(kind) && kind >= 0 && kind <= 5;
}

keepCompiled(new OtlpBatch());
