import type { Span, SpanResource } from '../model/span.ts';
import type { Time } from '../model/time.ts';
import type { Verdict } from '../model/verdict.ts';
import { NO_TIME, WireSpan } from '../model/wire-span.ts';
import { keepCompiled } from '../support/keep-compiled.ts';

/** What is kept of a span while its trace is buffered: no attribute, no event, no name but a recognised one. */
export interface SpanRecord {
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  /** Whether the source says that the parent is in another process. */
  readonly parentIsRemote: boolean;
  readonly start: Time;
  /** Undefined while the span is open; never before `start`. */
  readonly end: Time | undefined;
  readonly isError: boolean;
  readonly resource: SpanResource;
  readonly verdict: Verdict;
  /** The agent's name as a user's own rule has it; goes before all else. */
  readonly agentOverride: string | undefined;
}

export function spanRecordOf(span: Span, verdict: Verdict, agentOverride: string | undefined): SpanRecord {
  if (span instanceof WireSpan) return new WireSpanRecord(span, verdict, agentOverride);
  const { start, end } = span;
  const endsEarly = end !== undefined && (end[0] - start[0] || end[1] - start[1]) < 0;
  return {
    spanId: span.spanId,
    parentSpanId: span.parentSpanId,
    parentIsRemote: span.parentIsRemote === true,
    start,
    end: endsEarly ? start : end,
    isError: span.isError,
    resource: span.resource,
    verdict,
    agentOverride,
  };
}

/** Of a span that came over the wire, which is looked at for its numbers where they are all that is wanted. */
export class WireSpanRecord implements SpanRecord {
  readonly span: WireSpan;
  readonly verdict: Verdict;
  readonly agentOverride: string | undefined;

  constructor(span: WireSpan, verdict: Verdict, agentOverride: string | undefined) {
    this.span = span;
    this.verdict = verdict;
    this.agentOverride = agentOverride;
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
  new WireSpanRecord(
    new WireSpan('', { identity: '', serviceName: undefined }, {}),
    { role: 'none', rule: 'none' },
    undefined,
  ),
);
