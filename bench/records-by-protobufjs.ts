import type { Span, SpanKind } from '../src/model/span.ts';
import { timeFromUnixNanos } from '../src/model/time.ts';
import type { Wants } from '../src/source/otlp/otlp-batch.ts';
import { isResourceKey, resourceOf } from '../src/source/otlp/resource.ts';
import { type DecodedKeyValue, type DecodedSpan, decodeByProtobufjs } from './protobufjs-otlp.ts';

/** The same records as spanplan's own decoder makes of the bytes, by protobufjs. */
export function recordsByProtobufjs(body: Uint8Array, wants: Wants): Span[] {
  const records: Span[] = [];
  for (const { resource, scopeSpans } of decodeByProtobufjs(body).resourceSpans) {
    const from = resourceOf(wanted(resource.attributes, isResourceKey));
    for (const { scope, spans } of scopeSpans) {
      for (const span of spans) records.push(recordOf(span, scope.name, from, wants));
    }
  }
  return records;
}

function recordOf(span: DecodedSpan, scopeName: string, resource: Span['resource'], wants: Wants): Span {
  return {
    traceId: span.traceId.toString('hex'),
    spanId: span.spanId.toString('hex'),
    parentSpanId: span.parentSpanId.length === 0 ? undefined : span.parentSpanId.toString('hex'),
    parentIsRemote: (span.flags & 0x200) !== 0,
    name: span.name,
    kind: span.kind as SpanKind,
    start: timeOf(span.startTimeUnixNano),
    end: timeOf(span.endTimeUnixNano),
    isError: span.status?.code === 2,
    scopeName,
    resource,
    attributes: wanted(span.attributes, wants),
  };
}

function timeOf({ high, low }: { readonly high: number; readonly low: number }): Span['start'] {
  return timeFromUnixNanos((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0));
}

function wanted(attributes: readonly DecodedKeyValue[], wants: Wants): Record<string, unknown> {
  const picked: Record<string, unknown> = {};
  for (const { key, value } of attributes) {
    if (wants(key)) {
      picked[key] =
        value.stringValue ?? value.intValue?.toNumber() ?? value.doubleValue ?? value.boolValue ?? undefined;
    }
  }
  return picked;
}
