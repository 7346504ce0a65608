import type { SpanResource } from '../model/span.ts';
import type { Time } from '../model/time.ts';
import { MAX_ATTRIBUTE_LENGTH } from '../support/meaningful.ts';
import { IdTable } from './id-table.ts';
import {
  type Attributes,
  BAD_ID,
  type DecodedBatch,
  NO_ATTRIBUTES,
  newAttributes,
  OtlpBatch,
  type Wants,
} from './otlp-batch.ts';
import { ProtobufReader, tags } from './protobuf-reader.ts';
import { KEY, readAnyValue, readKeyValue, VALUE } from './protobuf-value.ts';
import { isResourceKey, resourceOf } from './resource.ts';
import { TextTable } from './text-table.ts';
import { timeFromHalves } from './unix-nanos.ts';
import { ValueBudget } from './value-budget.ts';
import { WantedKeys } from './wanted-keys.ts';

/**
 * Decodes an ExportTraceServiceRequest in protobuf (opentelemetry-proto 1.11), reading only what a Span holds and the
 * attributes that are wanted.
 *
 *     request → ResourceSpans → ScopeSpans → Span → KeyValue → AnyValue
 *
 * @throws MalformedBodyError where the bytes are no protobuf message.
 */
export function decodeOtlpProtobuf(bytes: Uint8Array, wants: Wants): DecodedBatch {
  keys.reset(wants);
  reader.reset(bytes);
  try {
    while (reader.isInside) {
      const tag = reader.tag();
      if (tag === REQUEST.resourceSpans) readResourceSpans(reader);
      else reader.skip(tag);
    }
    return batch.take();
  } finally {
    batch.take();
    reader.reset(NOTHING);
  }
}

const NOTHING = new Uint8Array();
const reader = new ProtobufReader(NOTHING);

const batch = new OtlpBatch();
const keys = new WantedKeys();
const texts = new TextTable();
const ids = new IdTable();
const budget = new ValueBudget();

/** Field numbers and wire types of opentelemetry-proto 1.11. */
const REQUEST = { resourceSpans: tags.bytes(1) };
/** `librarySpans` is the name and number that `scopeSpans` had until 2022; its layout is the same. */
const RESOURCE_SPANS = { resource: tags.bytes(1), scopeSpans: tags.bytes(2), librarySpans: tags.bytes(1000) };
const RESOURCE = { attributes: tags.bytes(1) };
const SCOPE_SPANS = { scope: tags.bytes(1), spans: tags.bytes(2) };
const SCOPE = { name: tags.bytes(1) };
const SPAN_TRACE_ID = 0x0a;
const SPAN_SPAN_ID = 0x12;
const SPAN_PARENT_SPAN_ID = 0x22;
const SPAN_NAME = 0x2a;
const SPAN_KIND = 0x30;
const SPAN_START = 0x39;
const SPAN_END = 0x41;
const SPAN_ATTRIBUTES = 0x4a;
const SPAN_STATUS = 0x7a;
const SPAN_FLAGS = 0x85;
const STATUS = { code: tags.varint(3) };
/** Fields may come in any order, so the resource is sought first and the spans, which need it, are read after. */
function readResourceSpans(reader: ProtobufReader): void {
  const attributes = newAttributes();
  const scopes: number[] = [];
  const outer = reader.enter();
  while (reader.isInside) {
    const tag = reader.tag();
    if (tag === RESOURCE_SPANS.resource) {
      readResource(reader, attributes);
      continue;
    }
    if (tag === RESOURCE_SPANS.scopeSpans || tag === RESOURCE_SPANS.librarySpans)
      scopes.push(reader.position);
    reader.skip(tag);
  }
  const end = reader.position;
  const resource = resourceOf(attributes);
  for (const at of scopes) {
    reader.position = at;
    readScopeSpans(reader, resource);
  }
  reader.position = end;
  reader.leave(outer);
}

function readResource(reader: ProtobufReader, attributes: Attributes): void {
  const outer = reader.enter();
  while (reader.isInside) {
    const tag = reader.tag();
    if (tag === RESOURCE.attributes) readKeyValue(reader, attributes, isResourceKey);
    else reader.skip(tag);
  }
  reader.leave(outer);
}

function readScopeSpans(reader: ProtobufReader, resource: SpanResource): void {
  let scopeName = '';
  const spans: number[] = [];
  const outer = reader.enter();
  while (reader.isInside) {
    const tag = reader.tag();
    if (tag === SCOPE_SPANS.scope) {
      scopeName = readScopeName(reader) ?? scopeName;
      continue;
    }
    if (tag === SCOPE_SPANS.spans) spans.push(reader.position);
    reader.skip(tag);
  }
  const end = reader.position;
  for (const at of spans) {
    reader.position = at;
    readSpan(reader, scopeName, resource);
  }
  reader.position = end;
  reader.leave(outer);
}

function readScopeName(reader: ProtobufReader): string | undefined {
  let name: string | undefined;
  const outer = reader.enter();
  while (reader.isInside) {
    const tag = reader.tag();
    if (tag === SCOPE.name) name = readText(reader);
    else reader.skip(tag);
  }
  reader.leave(outer);
  return name;
}

/** Holds what it reads in variables, which cost less than the fields of an object that lives on. */
function readSpan(reader: ProtobufReader, scopeName: string, resource: SpanResource): void {
  let traceId = '';
  let spanId = '';
  let parentSpanId = '';
  let name = '';
  let kind = 0;
  let start: Time | undefined;
  let end: Time | undefined;
  let attributes: Attributes = NO_ATTRIBUTES;
  let statusCode = 0;
  let flags = 0;
  const outer = reader.enter();
  while (reader.isInside) {
    const tag = reader.tag();
    switch (tag) {
      case SPAN_ATTRIBUTES:
        attributes = readAttribute(reader, attributes);
        break;
      case SPAN_TRACE_ID:
        traceId = readTraceId(reader);
        break;
      case SPAN_SPAN_ID:
        spanId = readSpanId(reader, false);
        break;
      case SPAN_PARENT_SPAN_ID:
        parentSpanId = readSpanId(reader, true);
        break;
      case SPAN_NAME:
        name = readText(reader);
        break;
      case SPAN_KIND:
        kind = reader.uint();
        break;
      case SPAN_START:
        start = readTime(reader);
        break;
      case SPAN_END:
        end = readTime(reader);
        break;
      case SPAN_STATUS:
        statusCode = readStatus(reader, statusCode);
        break;
      case SPAN_FLAGS:
        flags = reader.fixed32();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.leave(outer);
  batch.add(
    traceId,
    spanId,
    parentSpanId,
    name,
    kind,
    start,
    end,
    attributes,
    statusCode,
    flags,
    scopeName,
    resource,
  );
}

function readStatus(reader: ProtobufReader, before: number): number {
  let code = before;
  const outer = reader.enter();
  while (reader.isInside) {
    const tag = reader.tag();
    if (tag === STATUS.code) code = reader.uint();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return code;
}

function readTraceId(reader: ProtobufReader): string {
  const length = reader.length();
  const at = reader.position;
  reader.position = at + length;
  if (length !== 16) return length === 0 ? '' : BAD_ID;
  const { view } = reader;
  return ids.traceId(view.getInt32(at), view.getInt32(at + 4), view.getInt32(at + 8), view.getInt32(at + 12));
}

function readSpanId(reader: ProtobufReader, isParent: boolean): string {
  const length = reader.length();
  const at = reader.position;
  reader.position = at + length;
  if (length !== 8) return length === 0 ? '' : BAD_ID;
  const high = reader.view.getInt32(at);
  const low = reader.view.getInt32(at + 4);
  return isParent ? ids.parentId(high, low) : ids.spanId(high, low);
}

function readTime(reader: ProtobufReader) {
  const at = reader.fixed64At();
  return timeFromHalves(reader.view.getInt32(at, true), reader.view.getInt32(at + 4, true));
}

function readText(reader: ProtobufReader): string {
  return reader.text(MAX_ATTRIBUTE_LENGTH, texts);
}

/** Reads an attribute of the span where its key is wanted; its value is not looked at otherwise. */
function readAttribute(reader: ProtobufReader, into: Attributes): Attributes {
  let keyAt = 0;
  let keyLength = 0;
  let valueAt = NOWHERE;
  let attributes = into;
  const outer = reader.enter();
  while (reader.isInside) {
    const tag = reader.tag();
    if (tag === KEY) {
      keyLength = reader.length();
      keyAt = reader.position;
      reader.position += keyLength;
      continue;
    }
    if (tag === VALUE) valueAt = reader.position;
    reader.skip(tag);
  }
  const key = valueAt === NOWHERE ? undefined : keys.find(reader.view, keyAt, keyLength);
  if (key !== undefined) {
    const end = reader.position;
    reader.position = valueAt;
    budget.left = MAX_ATTRIBUTE_LENGTH;
    const value = readAnyValue(reader, budget, 0);
    reader.position = end;
    if (value !== undefined) {
      if (attributes === NO_ATTRIBUTES) attributes = newAttributes();
      attributes[key] = value;
    }
  }
  reader.leave(outer);
  return attributes;
}

const NOWHERE = -1;
