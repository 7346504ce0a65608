import type { Span, SpanKind } from '../../src/model/span.ts';
import { timeFromUnixNanos } from '../../src/model/time.ts';
import { type RecordedAttribute, type RecordedSpan, requestsOf } from '../support/captures.ts';

/** The spans of a recording, read the plain way: the decoders have tests of their own. */
export function recordedSpans(capture: string): readonly Span[] {
  return requestsOf(capture).flatMap((request) =>
    (request.resourceSpans ?? []).flatMap(({ resource, scopeSpans }) =>
      scopeSpans.flatMap(({ scope, spans }) =>
        spans.map((span) => readSpan(span, scope?.name ?? '', attributesOf(resource?.attributes))),
      ),
    ),
  );
}

function readSpan(span: RecordedSpan, scopeName: string, resource: Readonly<Record<string, unknown>>): Span {
  const serviceName = resource['service.name'];
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId || undefined,
    parentIsRemote: undefined,
    name: span.name,
    kind: span.kind as SpanKind,
    start: timeFromUnixNanos(BigInt(span.startTimeUnixNano)),
    end: timeFromUnixNanos(BigInt(span.endTimeUnixNano)),
    isError: false,
    scopeName,
    resource: {
      identity: 'recorded',
      serviceName: typeof serviceName === 'string' ? serviceName : undefined,
    },
    attributes: attributesOf(span.attributes),
  };
}

function attributesOf(attributes: readonly RecordedAttribute[] = []): Readonly<Record<string, unknown>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
