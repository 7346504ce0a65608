import type { NumericSpan } from '../../model/numeric-span.ts';
import type { ProtobufReader } from './protobuf-reader.ts';

/** Tags of opentelemetry-proto 1.11, with the length that follows, and what the status of a span begins with. */
const STATUS_WITH_CODE = 0x7a0218;
const STATUS_BYTES = 4;
const FLAGS = 0x8501;
const FLAGS_BYTES = 6;

/** Tags of the numbers of attributes, events and links that were dropped, which some write where there are none. */
const DROPPED_ATTRIBUTES = 0x50;
const DROPPED_EVENTS = 0x60;
const DROPPED_LINKS = 0x70;

/** A number of one byte is less. */
const MORE = 0x80;

/**
 * Reads what a span ends with, as far as it stands in the order and in the form in which everybody writes it where there
 * are no events and links. It makes the same of it as `readSpan`, field by field, would.
 *
 * @returns where the first field begins that it did not read.
 */
export function readSpanTail({ body, view, position, end }: ProtobufReader, span: NumericSpan): number {
  let at = position;
  while (at + 2 <= end && isDropped(body[at] ?? 0) && (body[at + 1] ?? MORE) < MORE) at += 2;
  if (at + STATUS_BYTES <= end) {
    const status = view.getUint32(at);
    if (status >>> 8 === STATUS_WITH_CODE && (status & 0xff) < MORE) {
      span.statusCode = status & 0xff;
      at += STATUS_BYTES;
    }
  }
  if (at + FLAGS_BYTES === end && view.getUint16(at) === FLAGS) {
    span.flags = view.getUint32(at + 2, true);
    at = end;
  }
  return at;
}

function isDropped(tag: number): boolean {
  return tag === DROPPED_ATTRIBUTES || tag === DROPPED_EVENTS || tag === DROPPED_LINKS;
}
