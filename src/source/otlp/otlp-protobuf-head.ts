import type { NumericSpan } from '../../model/numeric-span.ts';
import type { SpanKind } from '../../model/span.ts';
import type { ProtobufReader } from './protobuf-reader.ts';
import { MAX_TABLE_TEXT, TextTable } from './text-table.ts';
import { TraceIds } from './trace-ids.ts';
import { nanosOf, secondsOf } from './unix-nanos.ts';

const texts = new TextTable();
const traceIds = new TraceIds();

/** Tags of opentelemetry-proto 1.11, with the length that follows where there is but one that is right. */
const TRACE_ID_16 = 0x0a10;
const SPAN_ID_8 = 0x1208;
const PARENT_SPAN_ID_8 = 0x2208;
const NAME = 0x2a;
const KIND = 0x30;
const START = 0x39;
const END = 0x41;

/** How much is looked at before the name: both ids, that of the parent, and what a name begins with. */
const IDS_BYTES = 18 + 10 + 10 + 2;
/** What follows a name. */
const TIMES_BYTES = 2 + 9 + 9;
const MAX_KIND = 5;

/**
 * Reads what a span begins with, as far as it stands in the order and in the form in which everybody writes it: of nearly
 * all spans this is all but the attributes and the status. It makes the same of it as `readSpan`, field by field, would.
 *
 * @returns where the first field begins that it did not read: past the start exactly if it read both ids.
 */
export function readSpanHead({ body, view, position, end }: ProtobufReader, span: NumericSpan): number {
  let at = position;
  if (end - at < IDS_BYTES) return at;
  if (view.getUint16(at) !== TRACE_ID_16 || view.getUint16(at + 18) !== SPAN_ID_8) return at;
  const first = view.getInt32(at + 2);
  const second = view.getInt32(at + 6);
  span.traceId = traceIds.of(first, second, view.getInt32(at + 10), view.getInt32(at + 14));
  span.spanHigh = view.getInt32(at + 20);
  span.spanLow = view.getInt32(at + 24);
  at += 28;
  if (view.getUint16(at) === PARENT_SPAN_ID_8) {
    span.parentHigh = view.getInt32(at + 2);
    span.parentLow = view.getInt32(at + 6);
    at += 10;
  }
  const length = body[at + 1] ?? 0;
  if (body[at] !== NAME || length > MAX_TABLE_TEXT || end - at < 2 + length + TIMES_BYTES) return at;
  span.name = texts.text(texts.find(view, at + 2, length));
  at += 2 + length;
  const kind = body[at + 1] ?? 0;
  if (body[at] !== KIND || kind > MAX_KIND) return at;
  span.kind = kind as SpanKind;
  if (body[at + 2] !== START || body[at + 11] !== END) return at + 2;
  const startLow = view.getInt32(at + 3, true);
  span.startSeconds = secondsOf(startLow, view.getInt32(at + 7, true));
  span.startNanos = nanosOf(startLow, span.startSeconds);
  const endLow = view.getInt32(at + 12, true);
  span.endSeconds = secondsOf(endLow, view.getInt32(at + 16, true));
  span.endNanos = nanosOf(endLow, span.endSeconds);
  return at + 20;
}
