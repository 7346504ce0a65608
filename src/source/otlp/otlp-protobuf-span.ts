import type { Wants } from '../../conventions/attribute-names.ts';
import type { SpanResource } from '../../model/span.ts';
import { WireSpan } from '../../model/wire-span.ts';
import { MAX_ATTRIBUTE_LENGTH } from '../../support/meaningful.ts';
import { type Attributes, BAD_ID, NO_ATTRIBUTES, newAttributes, type OtlpBatch } from './otlp-batch.ts';
import { passUnwanted } from './pass-unwanted.ts';
import { type ProtobufReader, tags } from './protobuf-reader.ts';
import { KEY, readAnyValue, VALUE } from './protobuf-value.ts';
import { TextTable } from './text-table.ts';
import { TraceIds } from './trace-ids.ts';
import { nanosOf, secondsOf } from './unix-nanos.ts';
import { ValueBudget } from './value-budget.ts';
import { WantedKeys } from './wanted-keys.ts';

const keys = new WantedKeys();
const texts = new TextTable();
const traceIds = new TraceIds();
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

/** Reads a Span into `batch`. */
export function readSpan(
  reader: ProtobufReader,
  scopeName: string,
  resource: SpanResource,
  batch: OtlpBatch,
): void {
  const span = new WireSpan(scopeName, resource, NO_ATTRIBUTES);
  let kind = 0;
  let hasSpanId = false;
  let attributes = NO_ATTRIBUTES;
  const outer = reader.enter();
  while (reader.isInside) {
    const tag = reader.tag();
    switch (tag) {
      case SPAN_ATTRIBUTES: {
        const at = reader.position;
        reader.position = passUnwanted(reader, tag, at - 1, reader.end, keys);
        if (reader.position >= at) break;
        reader.position = at;
        attributes = readAttribute(reader, attributes);
        break;
      }
      case SPAN_TRACE_ID:
        span.traceId = readTraceId(reader);
        break;
      case SPAN_SPAN_ID: {
        const at = spanIdAt(reader);
        hasSpanId = at !== NOWHERE;
        span.spanHigh = hasSpanId ? reader.view.getInt32(at) : 0;
        span.spanLow = hasSpanId ? reader.view.getInt32(at + 4) : 0;
        break;
      }
      case SPAN_PARENT_SPAN_ID: {
        const at = spanIdAt(reader);
        span.parentHigh = at === NOWHERE ? 0 : reader.view.getInt32(at);
        span.parentLow = at === NOWHERE ? 0 : reader.view.getInt32(at + 4);
        break;
      }
      case SPAN_NAME:
        span.name = readText(reader);
        break;
      case SPAN_KIND:
        kind = reader.uint();
        break;
      case SPAN_START: {
        const at = reader.fixed64At();
        const low = reader.view.getInt32(at, true);
        span.startSeconds = secondsOf(low, reader.view.getInt32(at + 4, true));
        span.startNanos = nanosOf(low, span.startSeconds);
        break;
      }
      case SPAN_END: {
        const at = reader.fixed64At();
        const low = reader.view.getInt32(at, true);
        span.endSeconds = secondsOf(low, reader.view.getInt32(at + 4, true));
        span.endNanos = nanosOf(low, span.endSeconds);
        break;
      }
      case SPAN_STATUS:
        span.statusCode = readStatus(reader, span.statusCode);
        break;
      case SPAN_FLAGS:
        span.flags = reader.fixed32();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.leave(outer);
  span.attributes = attributes;
  batch.add(span, kind, hasSpanId);
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
  return traceIds.of(view.getInt32(at), view.getInt32(at + 4), view.getInt32(at + 8), view.getInt32(at + 12));
}

/** Where the eight bytes under the cursor lie; NOWHERE where there are not so many. */
function spanIdAt(reader: ProtobufReader): number {
  const length = reader.length();
  const at = reader.position;
  reader.position = at + length;
  return length === 8 ? at : NOWHERE;
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
