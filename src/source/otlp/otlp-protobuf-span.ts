import { NumericSpan } from '../../model/numeric-span.ts';
import { NO_ATTRIBUTES } from '../../model/own-attributes.ts';
import type { SpanResource } from '../../model/span.ts';
import { MAX_ATTRIBUTE_LENGTH } from '../../support/meaningful.ts';
import { BAD_ID, type OtlpBatch } from './otlp-batch.ts';
import { readAttributes, SPAN_ATTRIBUTES } from './otlp-protobuf-attributes.ts';
import { readSpanHead } from './otlp-protobuf-head.ts';
import { readSpanTail } from './otlp-protobuf-tail.ts';
import { type ProtobufReader, tags } from './protobuf-reader.ts';
import { TextTable } from './text-table.ts';
import { TraceIds } from './trace-ids.ts';
import { nanosOf, secondsOf } from './unix-nanos.ts';

const texts = new TextTable();
const traceIds = new TraceIds();

/** Field numbers and wire types of opentelemetry-proto 1.11. */
const SPAN_TRACE_ID = 0x0a;
const SPAN_SPAN_ID = 0x12;
const SPAN_PARENT_SPAN_ID = 0x22;
const SPAN_NAME = 0x2a;
const SPAN_KIND = 0x30;
const SPAN_START = 0x39;
const SPAN_END = 0x41;
const SPAN_STATUS = 0x7a;
const SPAN_FLAGS = 0x85;
const STATUS = { code: tags.varint(3) };

/** Reads a Span into `batch`. */
export function readSpan(
  reader: ProtobufReader,
  scopeName: string,
  resource: SpanResource,
  batch: OtlpBatch,
): void {
  const span = new NumericSpan(scopeName, resource, NO_ATTRIBUTES);
  const outer = reader.enter();
  const from = reader.position;
  reader.position = readSpanHead(reader, span);
  let hasSpanId = reader.position > from;
  let kind: number = span.kind;
  let attributes = NO_ATTRIBUTES;
  while (reader.isInside) {
    const tag = reader.tag();
    switch (tag) {
      case SPAN_ATTRIBUTES:
        attributes = readAttributes(reader, attributes);
        reader.position = readSpanTail(reader, span);
        break;
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

const NOWHERE = -1;
