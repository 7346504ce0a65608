import type { SpanResource } from '../../model/span.ts';
import type { Time } from '../../model/time.ts';
import { MAX_ATTRIBUTE_LENGTH } from '../../support/meaningful.ts';
import { IdTable } from './id-table.ts';
import {
  type Attributes,
  BAD_ID,
  NO_ATTRIBUTES,
  newAttributes,
  type OtlpBatch,
  type Wants,
} from './otlp-batch.ts';
import { type ProtobufReader, tags } from './protobuf-reader.ts';
import { KEY, readAnyValue, VALUE } from './protobuf-value.ts';
import { TextTable } from './text-table.ts';
import { timeFromHalves } from './unix-nanos.ts';
import { ValueBudget } from './value-budget.ts';
import { WantedKeys } from './wanted-keys.ts';

const keys = new WantedKeys();
const texts = new TextTable();
const ids = new IdTable();
const budget = new ValueBudget();

/** Field numbers and wire types of opentelemetry-proto 1.11. */
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

/** Of the spans that follow these attributes are read. */
export function wantAttributes(wants: Wants): void {
  keys.use(wants);
}

/**
 * Reads a Span into `batch`. Holds what it reads in variables, which cost less than the fields of an object that lives
 * on.
 */
export function readSpan(
  reader: ProtobufReader,
  scopeName: string,
  resource: SpanResource,
  batch: OtlpBatch,
): void {
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
