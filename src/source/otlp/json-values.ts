import { NO_TIME } from '../../model/numeric-span.ts';
import type { Time } from '../../model/time.ts';
import { HEX_VALUES, NO_DIGIT } from '../../support/hex-digits.ts';
import { MAX_ATTRIBUTE_LENGTH } from '../../support/meaningful.ts';
import { type JsonReader, NOT_READ, NULL, OPEN_OBJECT, QUOTE } from './json-reader.ts';
import { parseJson } from './json-text.ts';
import { BAD_ID } from './otlp-batch.ts';
import { jsonFields } from './otlp-json-value.ts';
import { MAX_TABLE_TEXT, TextTable } from './text-table.ts';
import { TraceIds } from './trace-ids.ts';
import { cutText } from './value-budget.ts';

/*
 * Reads single values of an OTLP request in JSON: as senders write them straight from the bytes, and any other form by
 * parsing its text.
 */

/** How many brackets are open inside a span. */
export const SPAN_DEPTH = 7;

const traceIds = new TraceIds();
const texts = new TextTable();

/** Of a small object, made of its text. */
export function readObject(reader: JsonReader, depth: number): unknown {
  if (reader.next() !== OPEN_OBJECT) throw NOT_READ;
  return readAny(reader, depth);
}

/** Of any value, made of its text. Moves over the value, also where it is too large and NOT_READ is thrown. */
export function readAny(reader: JsonReader, depth: number): unknown {
  reader.next();
  const from = reader.position;
  reader.skip(depth);
  return parsed(reader, from);
}

/** The most bytes of JSON that are parsed at once. As objects they may take twenty times as much. */
export const MAX_PARSED_BYTES: number = 4 * 2 ** 20;

/** What lies between `from` and the cursor. */
function parsed(reader: JsonReader, from: number): unknown {
  if (reader.position - from > MAX_PARSED_BYTES) throw NOT_READ;
  return parseJson(reader.text(from, reader.position));
}

/** The 32 bits that eight hex digits say; `badHex` tells where they are none. */
function bitsOf(reader: JsonReader, at: number): number {
  const { view } = reader;
  let bits = 0;
  let seen = 0;
  for (let digit = at; digit < at + 8; digit++) {
    const nibble = HEX_VALUES[view.getUint8(digit)] ?? NO_DIGIT;
    seen |= nibble;
    bits = (bits << 4) | nibble;
  }
  if ((seen & NO_DIGIT) !== 0) isBadHex = true;
  return bits;
}

let isBadHex = false;

export function readTraceId(reader: JsonReader): string {
  if (reader.next() !== QUOTE) return readNull(reader);
  reader.string();
  const { from, until } = reader;
  if (until === from) return '';
  if (reader.isEscaped) throw NOT_READ;
  if (until - from !== 32) return BAD_ID;
  isBadHex = false;
  const id = traceIds.of(
    bitsOf(reader, from),
    bitsOf(reader, from + 8),
    bitsOf(reader, from + 16),
    bitsOf(reader, from + 24),
  );
  return isBadHex ? BAD_ID : id;
}

/** @returns whether it is one; its halves are in `idHalves` then, and 0 otherwise. */
export function readSpanId(reader: JsonReader): boolean {
  idHalves.fill(0);
  if (reader.next() !== QUOTE) {
    readNull(reader);
    return false;
  }
  reader.string();
  const { from, until } = reader;
  if (until === from) return false;
  if (reader.isEscaped) throw NOT_READ;
  if (until - from !== 16) return false;
  isBadHex = false;
  const high = bitsOf(reader, from);
  const low = bitsOf(reader, from + 8);
  if (isBadHex) return false;
  idHalves[0] = high;
  idHalves[1] = low;
  return true;
}

export const idHalves = new Int32Array(2);

/** A null stands for an absent field. @throws NOT_READ for anything else. */
function readNull(reader: JsonReader): string {
  if (reader.next() !== NULL) throw NOT_READ;
  reader.skip(SPAN_DEPTH);
  return '';
}

/** A UTF-16 unit is at most six bytes, so nothing that is kept lies behind these. */
const MAX_ESCAPED = MAX_ATTRIBUTE_LENGTH * 6;

/** A text of a span. */
export function readText(reader: JsonReader): string {
  return reader.next() === QUOTE ? readString(reader) : readNull(reader);
}

/** The part of a string that is kept. */
export function readString(reader: JsonReader): string {
  reader.string();
  const { from, until } = reader;
  if (reader.isEscaped)
    return jsonFields.text(JSON.parse(`"${reader.text(from, reader.escapedEnd(MAX_ESCAPED))}"`));
  const length = until - from;
  if (length <= MAX_TABLE_TEXT) return texts.text(texts.find(reader.view, from, length));
  // A UTF-16 unit is at most three bytes, so no more needs decoding; one character may be torn at the cut.
  return cutText(reader.text(from, Math.min(until, from + MAX_ATTRIBUTE_LENGTH * 3 + 3)));
}

export function readNumber(reader: JsonReader, depth: number): number {
  reader.next();
  const from = reader.position;
  reader.skip(depth);
  const number = reader.position - from <= SMALL_DIGITS ? digits(reader, from, reader.position) : -1;
  return number >= 0 ? number : jsonFields.number(parsed(reader, from));
}

const SMALL_DIGITS = 9;
const NANO_DIGITS = 9;
/** So many digits after the billions are still exact. */
const MAX_SECOND_DIGITS = 10;

const NONE: Time = [NO_TIME, 0];

/** Nanoseconds since 1970: mostly nineteen digits in quotes. NO_TIME or BAD_TIME may stand in place of the seconds. */
export function readTime(reader: JsonReader, depth: number): Time {
  reader.next();
  const at = reader.position;
  if (reader.next() === QUOTE) {
    reader.string();
    const { from, until } = reader;
    const split = until - NANO_DIGITS;
    if (split > from && split - from <= MAX_SECOND_DIGITS) {
      const seconds = digits(reader, from, split);
      const nanos = digits(reader, split, until);
      if (seconds >= 0 && nanos >= 0) return seconds === 0 && nanos === 0 ? NONE : [seconds, nanos];
    }
  } else reader.skip(depth);
  return jsonFields.time(parsed(reader, at));
}

/** @returns less than 0 where it is no number. */
function digits(reader: JsonReader, from: number, until: number): number {
  const { view } = reader;
  let number = 0;
  for (let at = from; at < until; at++) {
    const digit = view.getUint8(at) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return number;
}
