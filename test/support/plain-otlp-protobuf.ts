import type { SpanResource } from '../../src/model/span.ts';
import { type DecodedBatch, newAttributes, type Wants } from '../../src/source/otlp/otlp-batch.ts';
import { tags } from '../../src/source/otlp/protobuf-reader.ts';
import { isResourceKey, resourceOf } from '../../src/source/otlp/resource.ts';
import { MAX_KEY_LENGTH, MAX_VALUE_DEPTH, ValueBudget } from '../../src/source/otlp/value-budget.ts';
import { MAX_ATTRIBUTE_LENGTH } from '../../src/support/meaningful.ts';
import { BAD_ID, emptySpan, PlainOtlpBatch, type RawSpan } from './plain-otlp-batch.ts';
import { PlainProtobufReader } from './plain-protobuf-reader.ts';

/**
 * The plain counterpart of decodeOtlpProtobuf: what that is tested against.
 *
 * Decodes an ExportTraceServiceRequest in protobuf (opentelemetry-proto 1.11), reading only what a Span holds and the
 * attributes that are wanted.
 *
 *     request → ResourceSpans → ScopeSpans → Span → KeyValue → AnyValue
 *
 * @throws MalformedBodyError where the bytes are no protobuf message.
 */
export function plainDecodeOtlpProtobuf(bytes: Uint8Array, wants: Wants): DecodedBatch {
  const reader = new PlainProtobufReader(bytes);
  const batch = new PlainOtlpBatch();
  reader.fields((tag) => {
    if (tag === REQUEST.resourceSpans) readResourceSpans(reader, batch, wants);
  });
  return batch.finish();
}

/** Field numbers and wire types of opentelemetry-proto 1.11. */
const REQUEST = { resourceSpans: tags.bytes(1) };
/** `librarySpans` is the name and number that `scopeSpans` had until 2022; its layout is the same. */
const RESOURCE_SPANS = { resource: tags.bytes(1), scopeSpans: tags.bytes(2), librarySpans: tags.bytes(1000) };
const RESOURCE = { attributes: tags.bytes(1) };
const SCOPE_SPANS = { scope: tags.bytes(1), spans: tags.bytes(2) };
const SCOPE = { name: tags.bytes(1) };
const SPAN = {
  traceId: tags.bytes(1),
  spanId: tags.bytes(2),
  parentSpanId: tags.bytes(4),
  name: tags.bytes(5),
  kind: tags.varint(6),
  startTimeUnixNano: tags.fixed64(7),
  endTimeUnixNano: tags.fixed64(8),
  attributes: tags.bytes(9),
  status: tags.bytes(15),
  flags: tags.fixed32(16),
};
const STATUS = { code: tags.varint(3) };
const KEY_VALUE = { key: tags.bytes(1), value: tags.bytes(2) };
const ANY_VALUE = {
  stringValue: tags.bytes(1),
  boolValue: tags.varint(2),
  intValue: tags.varint(3),
  doubleValue: tags.fixed64(4),
  arrayValue: tags.bytes(5),
  kvlistValue: tags.bytes(6),
  bytesValue: tags.bytes(7),
};
/** Of ArrayValue and KeyValueList alike. */
const VALUES = tags.bytes(1);

/** Fields may come in any order, so the resource is sought first and the spans, which need it, are read after. */
function readResourceSpans(reader: PlainProtobufReader, batch: PlainOtlpBatch, wants: Wants): void {
  const attributes = newAttributes();
  const scopes: number[] = [];
  reader.message((tag) => {
    if (tag === RESOURCE_SPANS.resource) readResource(reader, attributes);
    else if (tag === RESOURCE_SPANS.scopeSpans || tag === RESOURCE_SPANS.librarySpans) {
      scopes.push(reader.position);
    }
  });
  const resource = resourceOf(attributes);
  for (const at of scopes) reader.revisit(at, () => readScopeSpans(reader, resource, batch, wants));
}

function readResource(reader: PlainProtobufReader, attributes: Record<string, unknown>): void {
  reader.message((tag) => {
    if (tag === RESOURCE.attributes) readKeyValue(reader, attributes, isResourceKey);
  });
}

function readScopeSpans(
  reader: PlainProtobufReader,
  resource: SpanResource,
  batch: PlainOtlpBatch,
  wants: Wants,
): void {
  let scopeName = '';
  const spans: number[] = [];
  reader.message((tag) => {
    if (tag === SCOPE_SPANS.scope) scopeName = readScopeName(reader) ?? scopeName;
    else if (tag === SCOPE_SPANS.spans) spans.push(reader.position);
  });
  for (const at of spans) {
    reader.revisit(at, () => batch.add(readSpan(reader, wants), scopeName, resource));
  }
}

function readScopeName(reader: PlainProtobufReader): string | undefined {
  let name: string | undefined;
  reader.message((tag) => {
    if (tag === SCOPE.name) name = readText(reader);
  });
  return name;
}

function readSpan(reader: PlainProtobufReader, wants: Wants): RawSpan {
  const span = emptySpan();
  reader.message((tag) => {
    switch (tag) {
      case SPAN.traceId:
        span.traceId = readId(reader, 16);
        break;
      case SPAN.spanId:
        span.spanId = readId(reader, 8);
        break;
      case SPAN.parentSpanId:
        span.parentSpanId = readId(reader, 8);
        break;
      case SPAN.name:
        span.name = readText(reader);
        break;
      case SPAN.kind:
        span.kind = reader.uint();
        break;
      case SPAN.startTimeUnixNano:
        span.startNanos = reader.fixed64();
        break;
      case SPAN.endTimeUnixNano:
        span.endNanos = reader.fixed64();
        break;
      case SPAN.attributes:
        readKeyValue(reader, span.attributes, wants);
        break;
      case SPAN.status:
        reader.message((field) => {
          if (field === STATUS.code) span.statusCode = reader.uint();
        });
        break;
      case SPAN.flags:
        span.flags = reader.fixed32();
        break;
    }
  });
  return span;
}

function readId(reader: PlainProtobufReader, size: number): string {
  const bytes = reader.bytes();
  if (bytes.length === 0) return '';
  return bytes.length === size ? bytes.toString('hex') : BAD_ID;
}

function readText(reader: PlainProtobufReader): string {
  return reader.text(MAX_ATTRIBUTE_LENGTH);
}

/** Reads an attribute into `into` where its key is wanted; its value is not looked at otherwise. */
function readKeyValue(
  reader: PlainProtobufReader,
  into: Record<string, unknown>,
  wants: Wants,
  budget?: ValueBudget,
  depth = 0,
): void {
  let key = '';
  let valueAt: number | undefined;
  reader.message((tag) => {
    if (tag === KEY_VALUE.key) key = reader.text(MAX_KEY_LENGTH + 1);
    else if (tag === KEY_VALUE.value) valueAt = reader.position;
  });
  if (valueAt === undefined || key.length > MAX_KEY_LENGTH || !wants(key)) return;
  reader.revisit(valueAt, () => {
    const value = readAnyValue(reader, budget ?? new ValueBudget(), depth);
    if (value !== undefined) into[key] = value;
  });
}

/** @returns undefined for a value that is not set, of an unknown kind, or too deep. */
function readAnyValue(reader: PlainProtobufReader, budget: ValueBudget, depth: number): unknown {
  let value: unknown;
  reader.message((tag) => {
    switch (tag) {
      case ANY_VALUE.stringValue:
        value = budget.text(reader.text(budget.left));
        break;
      case ANY_VALUE.boolValue:
        value = reader.uint() !== 0;
        break;
      case ANY_VALUE.intValue:
        value = reader.int64();
        break;
      case ANY_VALUE.doubleValue:
        value = reader.double();
        break;
      case ANY_VALUE.arrayValue:
        if (depth < MAX_VALUE_DEPTH) value = readList(reader, budget, depth + 1);
        break;
      case ANY_VALUE.kvlistValue:
        if (depth < MAX_VALUE_DEPTH) value = readMap(reader, budget, depth + 1);
        break;
      case ANY_VALUE.bytesValue:
        value = budget.bytes(reader.bytes());
        break;
    }
  });
  return value;
}

function readList(reader: PlainProtobufReader, budget: ValueBudget, depth: number): unknown[] {
  const list: unknown[] = [];
  reader.message((tag) => {
    if (tag === VALUES && budget.element()) list.push(readAnyValue(reader, budget, depth) ?? null);
  });
  return list;
}

function readMap(reader: PlainProtobufReader, budget: ValueBudget, depth: number): Record<string, unknown> {
  const map = newAttributes();
  reader.message((tag) => {
    if (tag === VALUES && budget.element()) readKeyValue(reader, map, isAnyKey, budget, depth);
  });
  return map;
}

function isAnyKey(): boolean {
  return true;
}
