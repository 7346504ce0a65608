import protobuf from 'protobufjs';
import type { KeyValueJson, OtlpRequestJson, SpanJson } from './agent-batch.ts';

/**
 * OTLP by protobufjs: the messages of opentelemetry-proto 1.11 that a trace request holds, whole. At first use
 * protobufjs writes a decoder for each message, the same code that its tool writes ahead of time.
 */
const root = protobuf.Root.fromJSON({
  nested: {
    Request: message({ resourceSpans: [1, '*ResourceSpans'] }),
    ResourceSpans: message({
      resource: [1, 'Resource'],
      scopeSpans: [2, '*ScopeSpans'],
      schemaUrl: [3, 'string'],
    }),
    Resource: message({ attributes: [1, '*KeyValue'], droppedAttributesCount: [2, 'uint32'] }),
    ScopeSpans: message({ scope: [1, 'Scope'], spans: [2, '*Span'], schemaUrl: [3, 'string'] }),
    Scope: message({
      name: [1, 'string'],
      version: [2, 'string'],
      attributes: [3, '*KeyValue'],
      droppedAttributesCount: [4, 'uint32'],
    }),
    Span: message({
      traceId: [1, 'bytes'],
      spanId: [2, 'bytes'],
      traceState: [3, 'string'],
      parentSpanId: [4, 'bytes'],
      name: [5, 'string'],
      kind: [6, 'int32'],
      startTimeUnixNano: [7, 'fixed64'],
      endTimeUnixNano: [8, 'fixed64'],
      attributes: [9, '*KeyValue'],
      droppedAttributesCount: [10, 'uint32'],
      events: [11, '*Event'],
      droppedEventsCount: [12, 'uint32'],
      links: [13, '*Link'],
      droppedLinksCount: [14, 'uint32'],
      status: [15, 'Status'],
      flags: [16, 'fixed32'],
    }),
    Event: message({
      timeUnixNano: [1, 'fixed64'],
      name: [2, 'string'],
      attributes: [3, '*KeyValue'],
      droppedAttributesCount: [4, 'uint32'],
    }),
    Link: message({
      traceId: [1, 'bytes'],
      spanId: [2, 'bytes'],
      traceState: [3, 'string'],
      attributes: [4, '*KeyValue'],
      droppedAttributesCount: [5, 'uint32'],
      flags: [6, 'fixed32'],
    }),
    Status: message({ message: [2, 'string'], code: [3, 'int32'] }),
    KeyValue: message({ key: [1, 'string'], value: [2, 'AnyValue'] }),
    AnyValue: message({
      stringValue: [1, '?string'],
      boolValue: [2, '?bool'],
      intValue: [3, '?int64'],
      doubleValue: [4, '?double'],
      arrayValue: [5, 'ArrayValue'],
      kvlistValue: [6, 'KeyValueList'],
      bytesValue: [7, 'bytes'],
    }),
    ArrayValue: message({ values: [1, '*AnyValue'] }),
    KeyValueList: message({ values: [1, '*KeyValue'] }),
  },
});
/** The message itself, for those who look at other fields than the benchmarks do. */
export const Request: protobuf.Type = root.lookupType('Request');

/** A field's number and type: `*` before the type says that it repeats, `?` that it is null where not set. */
type FieldOf = readonly [id: number, type: string];

function message(fields: Readonly<Record<string, FieldOf>>): protobuf.IType {
  const entries = Object.entries(fields).map(([name, [id, type]]) => [name, fieldOf(id, type)]);
  return { fields: Object.fromEntries(entries) };
}

function fieldOf(id: number, type: string): protobuf.IField {
  if (type.startsWith('*')) return { id, type: type.slice(1), rule: 'repeated' };
  return type.startsWith('?')
    ? { id, type: type.slice(1), options: { proto3_optional: true } }
    : { id, type };
}

/** What protobufjs makes of the fields that the benchmarks look at. */
export interface DecodedRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly DecodedKeyValue[] };
    readonly scopeSpans: readonly {
      readonly scope: { readonly name: string };
      readonly spans: readonly DecodedSpan[];
    }[];
  }[];
}

export interface DecodedSpan {
  readonly traceId: Buffer;
  readonly spanId: Buffer;
  readonly parentSpanId: Buffer;
  readonly flags: number;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: { readonly low: number; readonly high: number };
  readonly endTimeUnixNano: { readonly low: number; readonly high: number };
  readonly attributes: readonly DecodedKeyValue[];
  readonly status: { readonly code: number } | null;
}

export interface DecodedKeyValue {
  readonly key: string;
  readonly value: {
    readonly stringValue: string | null;
    readonly boolValue: boolean | null;
    readonly intValue: { toNumber(): number } | null;
    readonly doubleValue: number | null;
  };
}

export function decodeByProtobufjs(bytes: Uint8Array): DecodedRequest {
  return Request.decode(bytes) as unknown as DecodedRequest;
}

export function encodeByProtobufjs(request: OtlpRequestJson): Buffer {
  const object = {
    resourceSpans: request.resourceSpans.map(({ resource, scopeSpans }) => ({
      resource: { attributes: resource.attributes.map(keyValue) },
      scopeSpans: scopeSpans.map(({ scope, spans }) => ({ scope, spans: spans.map(span) })),
    })),
  };
  return Buffer.from(Request.encode(Request.fromObject(object)).finish());
}

function span(json: SpanJson): object {
  const { traceId, spanId, parentSpanId = '' } = json;
  return {
    ...json,
    traceId: Buffer.from(traceId, 'hex'),
    spanId: Buffer.from(spanId, 'hex'),
    parentSpanId: Buffer.from(parentSpanId, 'hex'),
    attributes: json.attributes.map(keyValue),
  };
}

function keyValue({ key, value }: KeyValueJson): object {
  return { key, value };
}
