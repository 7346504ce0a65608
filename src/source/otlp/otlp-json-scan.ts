import type { Wants } from '../../conventions/attribute-names.ts';
import { NumericSpan } from '../../model/numeric-span.ts';
import { type Attributes, NO_ATTRIBUTES, newAttributes } from '../../model/own-attributes.ts';
import type { SpanResource } from '../../model/span.ts';
import { FIELD, once, readField } from './json-fields.ts';
import {
  CLOSE_LIST,
  CLOSE_OBJECT,
  JsonReader,
  NOT_READ,
  OPEN_LIST,
  OPEN_OBJECT,
  QUOTE,
  wordsOf,
} from './json-reader.ts';
import {
  idHalves,
  readAny,
  readNumber,
  readObject,
  readSpanId,
  readString,
  readText,
  readTime,
  readTraceId,
  SPAN_DEPTH,
} from './json-values.ts';
import { type DecodedBatch, MAX_ATTRIBUTES, OtlpBatch } from './otlp-batch.ts';
import { jsonFields } from './otlp-json-value.ts';
import { WantedKeys } from './wanted-keys.ts';

/**
 * Decodes a request as senders write it straight from its bytes, and passes over what it does not need: containers
 * before what they hold, a key before its value, no field twice. Every byte is checked to be JSON.
 *
 * @returns undefined for any other body, good or bad. The general way, which takes every form, must then read it.
 */
export function scanJsonRequest(bytes: Uint8Array, wants: Wants): DecodedBatch | undefined {
  const batch = new OtlpBatch();
  wantJsonAttributes(wants);
  try {
    readRequest(new JsonReader(bytes), batch);
    return batch.take();
  } catch (error) {
    if (error !== NOT_READ) throw error;
    return undefined;
  }
}

/** Of the spans that follow these attributes are read. */
export function wantJsonAttributes(wants: Wants): void {
  keys.use(wants);
}

const keys = new WantedKeys();

/** How many brackets are open inside each message. */
const REQUEST_DEPTH = 1;
const RESOURCE_SPANS_DEPTH = 3;
const SCOPE_SPANS_DEPTH = 5;
const STATUS_DEPTH = 8;
const KEY_VALUE_DEPTH = 9;

function readRequest(reader: JsonReader, batch: OtlpBatch): void {
  let seen = 0;
  reader.expect(OPEN_OBJECT);
  for (let isFirst = true; reader.goesOn(isFirst, CLOSE_OBJECT); isFirst = false) {
    const name = readField(reader);
    seen = once(seen, name);
    if (name === FIELD.resourceSpans) {
      reader.expect(OPEN_LIST);
      for (let first = true; reader.goesOn(first, CLOSE_LIST); first = false) {
        readResourceSpans(reader, batch);
      }
    } else reader.skip(REQUEST_DEPTH);
  }
  reader.expectEnd();
}

function readResourceSpans(reader: JsonReader, batch: OtlpBatch): void {
  let seen = 0;
  let resource: SpanResource | undefined;
  reader.expect(OPEN_OBJECT);
  for (let isFirst = true; reader.goesOn(isFirst, CLOSE_OBJECT); isFirst = false) {
    const name = readField(reader);
    seen = once(seen, name);
    if (name === FIELD.resource) {
      if (resource !== undefined) throw NOT_READ;
      resource = jsonFields.resource(readObject(reader, RESOURCE_SPANS_DEPTH));
    } else if (name === FIELD.scopeSpans) {
      resource ??= jsonFields.resource({});
      reader.expect(OPEN_LIST);
      for (let first = true; reader.goesOn(first, CLOSE_LIST); first = false) {
        readScopeSpans(reader, resource, batch);
      }
    } else if (name === FIELD.instrumentationLibrarySpans) throw NOT_READ;
    else reader.skip(RESOURCE_SPANS_DEPTH);
  }
}

function readScopeSpans(reader: JsonReader, resource: SpanResource, batch: OtlpBatch): void {
  let seen = 0;
  let scopeName: string | undefined;
  reader.expect(OPEN_OBJECT);
  for (let isFirst = true; reader.goesOn(isFirst, CLOSE_OBJECT); isFirst = false) {
    const name = readField(reader);
    seen = once(seen, name);
    if (name === FIELD.scope) {
      if (scopeName !== undefined) throw NOT_READ;
      scopeName = jsonFields.scopeName(readObject(reader, SCOPE_SPANS_DEPTH));
    } else if (name === FIELD.spans) {
      scopeName ??= '';
      reader.expect(OPEN_LIST);
      for (let first = true; reader.goesOn(first, CLOSE_LIST); first = false) {
        readJsonSpan(reader, scopeName, resource, batch);
      }
    } else reader.skip(SCOPE_SPANS_DEPTH);
  }
}

/** Reads a span as senders write it. @throws NOT_READ for any other. */
export function readJsonSpan(
  reader: JsonReader,
  scopeName: string,
  resource: SpanResource,
  batch: OtlpBatch,
): void {
  let seen = 0;
  const span = new NumericSpan(scopeName, resource, NO_ATTRIBUTES);
  let kind = 0;
  let hasSpanId = false;
  let attributes = NO_ATTRIBUTES;
  reader.expect(OPEN_OBJECT);
  for (let isFirst = true; reader.goesOn(isFirst, CLOSE_OBJECT); isFirst = false) {
    const name = readField(reader);
    seen = once(seen, name);
    switch (name) {
      case FIELD.traceId:
        span.traceId = readTraceId(reader);
        break;
      case FIELD.spanId:
        hasSpanId = readSpanId(reader);
        span.spanHigh = idHalves[0] ?? 0;
        span.spanLow = idHalves[1] ?? 0;
        break;
      case FIELD.parentSpanId:
        readSpanId(reader);
        span.parentHigh = idHalves[0] ?? 0;
        span.parentLow = idHalves[1] ?? 0;
        break;
      case FIELD.name:
        span.name = readText(reader);
        break;
      case FIELD.kind:
        kind = readNumber(reader, SPAN_DEPTH);
        break;
      case FIELD.startTimeUnixNano:
        [span.startSeconds, span.startNanos] = readTime(reader, SPAN_DEPTH);
        break;
      case FIELD.endTimeUnixNano:
        [span.endSeconds, span.endNanos] = readTime(reader, SPAN_DEPTH);
        break;
      case FIELD.attributes:
        if (reader.next() !== OPEN_LIST) {
          reader.skip(SPAN_DEPTH);
          break;
        }
        reader.position++;
        for (let first = true; reader.goesOn(first, CLOSE_LIST); first = false) {
          attributes = readAttribute(reader, attributes);
        }
        break;
      case FIELD.status:
        span.statusCode = readStatus(reader);
        break;
      case FIELD.flags:
        span.flags = readNumber(reader, SPAN_DEPTH);
        break;
      default:
        reader.skip(SPAN_DEPTH);
    }
  }
  span.attributes = attributes;
  batch.add(span, kind, hasSpanId);
}

function readStatus(reader: JsonReader): number {
  let seen = 0;
  let code = 0;
  if (reader.next() !== OPEN_OBJECT) {
    reader.skip(SPAN_DEPTH);
    return code;
  }
  reader.expect(OPEN_OBJECT);
  for (let isFirst = true; reader.goesOn(isFirst, CLOSE_OBJECT); isFirst = false) {
    const name = readField(reader);
    seen = once(seen, name);
    if (name === FIELD.code) code = readNumber(reader, STATUS_DEPTH);
    else reader.skip(STATUS_DEPTH);
  }
  return code;
}

/** The beginnings of nearly all attributes of nearly all senders: looked for as a whole, rather than name by name. */
const USUAL_KEY = wordsOf('{"key":"');
const USUAL_VALUE = wordsOf(',"value":{"stringValue":');

/** Reads an attribute where its key is wanted; its value is not looked at otherwise. */
function readAttribute(reader: JsonReader, into: Attributes): Attributes {
  const from = reader.position;
  if (reader.passes(USUAL_KEY)) {
    reader.position--;
    const key = readKey(reader);
    if (reader.passes(USUAL_VALUE)) {
      const text = key === undefined ? reader.string() : readString(reader);
      if (reader.closes() && reader.closes())
        return key === undefined ? into : withAttribute(into, key, text);
    }
  }
  reader.position = from;
  return readAnyAttribute(reader, into);
}

function withAttribute(into: Attributes, key: string, value: unknown): Attributes {
  if (into === NO_ATTRIBUTES) kept = 0;
  if (kept === MAX_ATTRIBUTES) return into;
  kept++;
  const attributes = into === NO_ATTRIBUTES ? newAttributes() : into;
  attributes[key] = value;
  return attributes;
}

/** Of the span that is being read. */
let kept = 0;

function readAnyAttribute(reader: JsonReader, into: Attributes): Attributes {
  let seen = 0;
  let key: string | undefined;
  let attributes = into;
  reader.expect(OPEN_OBJECT);
  for (let isFirst = true; reader.goesOn(isFirst, CLOSE_OBJECT); isFirst = false) {
    const name = readField(reader);
    seen = once(seen, name);
    if (name === FIELD.key) {
      if ((seen & (1 << FIELD.value)) !== 0) throw NOT_READ;
      key = readKey(reader);
    } else if (name === FIELD.value && key !== undefined) {
      const value = readValue(reader);
      if (value !== undefined) attributes = withAttribute(attributes, key, value);
    } else if (name === FIELD.value && (seen & (1 << FIELD.key)) === 0) throw NOT_READ;
    else reader.skip(KEY_VALUE_DEPTH);
  }
  return attributes;
}

/** @returns undefined for a key that is not wanted. */
function readKey(reader: JsonReader): string | undefined {
  reader.string();
  if (reader.isEscaped) throw NOT_READ;
  return keys.find(reader.view, reader.from, reader.until - reader.from);
}

/** Of an AnyValue: a text as senders write it, or anything else, made of its text. */
function readValue(reader: JsonReader): unknown {
  if (reader.next() !== OPEN_OBJECT) throw NOT_READ;
  const from = reader.position;
  reader.position++;
  if (reader.next() === QUOTE && readField(reader) === FIELD.stringValue && reader.next() === QUOTE) {
    const text = readString(reader);
    if (reader.closes()) return text;
  }
  reader.position = from;
  return jsonFields.value(readAny(reader, KEY_VALUE_DEPTH));
}
