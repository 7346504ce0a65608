import type { NumericSpan } from '../../model/numeric-span.ts';
import type { Span, SpanKind, SpanResource } from '../../model/span.ts';
import { charCode } from '../../support/char-code.ts';
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

/** Stands for a trace id of the wrong type or length. */
export const BAD_ID = '?';

/** Stands for a time that is not an unsigned 64-bit number, in place of its seconds. */
export const BAD_TIME = -2;

/**
 * So many values of wanted attributes are kept of one span. SDKs send 128 at most; where conventions want all names of
 * one form, a body could hold millions.
 */
export const MAX_ATTRIBUTES = 1_024;

/** Turns raw spans into a DecodedBatch: both encodings share what makes a span good. */
export class OtlpBatch {
  #spans: NumericSpan[] = [];
  readonly #rejected = new Map<string, number>();
  /** The fault of the span that was rejected last, and how many had it since there was another. */
  #fault: string | undefined;
  #count = 0;
  #unusable = 0;

  /**
   * Takes a span as it stands in the request.
   * @param kind as it stands there; another number than those of the kinds stands for none.
   * @param hasSpanId whether the span id is 8 bytes.
   */
  add(span: NumericSpan, kind: number, hasSpanId: boolean): void {
    const fault = faultOf(span, hasSpanId);
    if (fault !== undefined) {
      this.reject(fault);
      return;
    }
    if (span.startSeconds < 0 || span.endSeconds === BAD_TIME) {
      this.#unusable++;
      return;
    }
    span.kind = isSpanKind(kind) ? kind : 0;
    this.#spans.push(span);
  }

  /** How many good spans there are that were not given yet. */
  get size(): number {
    return this.#spans.length;
  }

  /** Gives the spans from an index on the resource that followed them. */
  setResource(from: number, resource: SpanResource): void {
    for (const span of this.#spans.slice(from)) span.resource = resource;
  }

  /** Gives the spans from an index on the scope that followed them. */
  setScopeName(from: number, scopeName: string): void {
    for (const span of this.#spans.slice(from)) span.scopeName = scopeName;
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

const ZERO_TRACE_ID = '0'.repeat(32);
const ZERO = ZERO_TRACE_ID.charCodeAt(0);

function faultOf({ traceId, spanHigh, spanLow }: NumericSpan, hasSpanId: boolean): string | undefined {
  if (traceId.length !== ZERO_TRACE_ID.length) return 'the trace id is not 16 bytes';
  // The first digit tells nearly always, at less cost.
  if (charCode(traceId, 0) === ZERO && traceId === ZERO_TRACE_ID) return 'the trace id is all zeros';
  if (!hasSpanId) return 'the span id is not 8 bytes';
  return (spanHigh | spanLow) === 0 ? 'the span id is all zeros' : undefined;
}

function isSpanKind(kind: number): kind is SpanKind {
  return Number.isInteger(kind) && kind >= 0 && kind <= 5;
}

keepCompiled(new OtlpBatch());
