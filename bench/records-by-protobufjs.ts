import type { Wants } from '../src/conventions/attribute-names.ts';
import { NumericSpan } from '../src/model/numeric-span.ts';
import type { Span, SpanKind, SpanResource } from '../src/model/span.ts';
import { isResourceKey, resourceOf } from '../src/source/otlp/resource.ts';
import { nanosOf, secondsOf } from '../src/source/otlp/unix-nanos.ts';
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

function recordOf(from: DecodedSpan, scopeName: string, resource: SpanResource, wants: Wants): Span {
  const span = new NumericSpan(scopeName, resource, wanted(from.attributes, wants));
  span.traceId = from.traceId.toString('hex');
  span.spanHigh = from.spanId.readInt32BE();
  span.spanLow = from.spanId.readInt32BE(4);
  if (from.parentSpanId.length > 0) {
    span.parentHigh = from.parentSpanId.readInt32BE();
    span.parentLow = from.parentSpanId.readInt32BE(4);
  }
  span.flags = from.flags;
  span.name = from.name;
  span.kind = from.kind as SpanKind;
  span.statusCode = from.status?.code ?? 0;
  const { low: startLow, high: startHigh } = from.startTimeUnixNano;
  span.startSeconds = secondsOf(startLow, startHigh);
  span.startNanos = nanosOf(startLow, span.startSeconds);
  const { low: endLow, high: endHigh } = from.endTimeUnixNano;
  span.endSeconds = secondsOf(endLow, endHigh);
  span.endNanos = nanosOf(endLow, span.endSeconds);
  return span;
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
