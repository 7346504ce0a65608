import type { Span, SpanResource } from '../model/span.ts';
import type { Time } from '../model/time.ts';
import type { Verdict } from '../model/verdict.ts';

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
