import { NO_TIME, NumericSpan } from '../model/numeric-span.ts';
import type { Span, SpanResource } from '../model/span.ts';
import { mustReadSpanId, readSpanId, spanIdOf } from '../model/span-id.ts';
import { mustBeTime, type Time } from '../model/time.ts';
import type { Recognised, Verdict } from '../model/verdict.ts';
import { keepCompiled } from '../support/keep-compiled.ts';

/**
 * What is kept of a span while its trace is buffered: no attribute, no event, no name but a recognised one. That of a
 * NumericSpan refers to it until it is copied into the pool, and is not to be kept itself.
 */
export interface SpanRecord {
  /** The halves of the span's id as `readSpanId` makes them; those of its parent's are 0 where it has none. */
  readonly spanHigh: number;
  readonly spanLow: number;
  readonly parentHigh: number;
  readonly parentLow: number;
  /** Of a span in text also where its parent's id is none: then it is as good as one that no span has. */
  readonly hasParent: boolean;
  /** The ids as text, made where somebody asks. */
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  /** Whether the source says that the parent is in another process. */
  readonly parentIsRemote: boolean;
  readonly start: Time;
  /** Undefined while the span is open; never before `start`. */
  readonly end: Time | undefined;
  readonly isError: boolean;
  readonly resource: SpanResource;
  /** May lack the call's id. */
  readonly verdict: Verdict;
  readonly callId: string | undefined;
  /** The agent's name as a user's own rule has it; goes before all else. */
  readonly agentOverride: string | undefined;
}

/** @throws RangeError where the span id is not 16 hex digits, or a time none that can be written down. */
export function spanRecordOf(
  span: Span,
  { verdict, callId }: Recognised,
  agentOverride: string | undefined,
): SpanRecord {
  if (span instanceof NumericSpan) return new NumericSpanRecord(span, verdict, callId, agentOverride);
  const { parentSpanId } = span;
  mustReadSpanId(span.spanId, ID);
  const start = mustBeTime(span.start);
  const end = span.end && mustBeTime(span.end);
  if (parentSpanId !== lastParentId) readParent(parentSpanId);
  const endsEarly = end !== undefined && (end[0] - start[0] || end[1] - start[1]) < 0;
  return new PlainSpanRecord(
    ID[0] ?? 0,
    ID[1] ?? 0,
    PARENT[0] ?? 0,
    PARENT[1] ?? 0,
    parentSpanId !== undefined,
    span.parentIsRemote === true,
    start,
    endsEarly ? start : end,
    span.isError,
    span.resource,
    verdict,
    callId,
    agentOverride,
  );
}

const ID = new Int32Array(2);
/** Spans that come together often have one parent. */
const PARENT = new Int32Array(2);
let lastParentId: string | undefined;

function readParent(id: string | undefined): void {
  if (id === undefined || !readSpanId(id, PARENT, 0)) PARENT.fill(0);
  lastParentId = id;
}

/** As it was read out of the pool, or of a span that somebody made of texts. */
export class PlainSpanRecord implements SpanRecord {
  readonly spanHigh: number;
  readonly spanLow: number;
  readonly parentHigh: number;
  readonly parentLow: number;
  readonly hasParent: boolean;
  readonly parentIsRemote: boolean;
  readonly start: Time;
  readonly end: Time | undefined;
  readonly isError: boolean;
  readonly resource: SpanResource;
  readonly verdict: Verdict;
  readonly callId: string | undefined;
  readonly agentOverride: string | undefined;
  #spanId: string | undefined;

  constructor(
    spanHigh: number,
    spanLow: number,
    parentHigh: number,
    parentLow: number,
    hasParent: boolean,
    parentIsRemote: boolean,
    start: Time,
    end: Time | undefined,
    isError: boolean,
    resource: SpanResource,
    verdict: Verdict,
    callId: string | undefined,
    agentOverride: string | undefined,
  ) {
    this.spanHigh = spanHigh;
    this.spanLow = spanLow;
    this.parentHigh = parentHigh;
    this.parentLow = parentLow;
    this.hasParent = hasParent;
    this.parentIsRemote = parentIsRemote;
    this.start = start;
    this.end = end;
    this.isError = isError;
    this.resource = resource;
    this.verdict = verdict;
    this.callId = callId;
    this.agentOverride = agentOverride;
  }

  get spanId(): string {
    this.#spanId ??= spanIdOf(this.spanHigh, this.spanLow);
    return this.#spanId;
  }

  get parentSpanId(): string | undefined {
    return this.hasParent ? spanIdOf(this.parentHigh, this.parentLow) : undefined;
  }
}

/** Of a span as a source read it, which is looked at for its numbers where they are all that is wanted. */
export class NumericSpanRecord implements SpanRecord {
  readonly span: NumericSpan;
  readonly verdict: Verdict;
  readonly callId: string | undefined;
  readonly agentOverride: string | undefined;

  constructor(
    span: NumericSpan,
    verdict: Verdict,
    callId: string | undefined,
    agentOverride: string | undefined,
  ) {
    this.span = span;
    this.verdict = verdict;
    this.callId = callId;
    this.agentOverride = agentOverride;
  }

  get spanHigh(): number {
    return this.span.spanHigh;
  }

  get spanLow(): number {
    return this.span.spanLow;
  }

  get parentHigh(): number {
    return this.span.parentHigh;
  }

  get parentLow(): number {
    return this.span.parentLow;
  }

  get hasParent(): boolean {
    return this.span.hasParent;
  }

  get spanId(): string {
    return this.span.spanId;
  }

  get parentSpanId(): string | undefined {
    return this.span.parentSpanId;
  }

  get parentIsRemote(): boolean {
    return this.span.parentIsRemote === true;
  }

  get start(): Time {
    return this.span.start;
  }

  get end(): Time | undefined {
    return this.endsEarly ? this.span.start : this.span.end;
  }

  /** Whether its end is before its start, which only clocks that are set can make so. */
  get endsEarly(): boolean {
    const { startSeconds, startNanos, endSeconds, endNanos } = this.span;
    return endSeconds !== NO_TIME && (endSeconds - startSeconds || endNanos - startNanos) < 0;
  }

  get isError(): boolean {
    return this.span.isError;
  }

  get resource(): SpanResource {
    return this.span.resource;
  }
}

keepCompiled(
  new NumericSpanRecord(
    new NumericSpan('', { identity: '', serviceName: undefined }, {}),
    { role: 'none', rule: 'none' },
    undefined,
    undefined,
  ),
);
