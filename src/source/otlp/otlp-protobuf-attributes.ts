import type { Wants } from '../../conventions/attribute-names.ts';
import { type Attributes, NO_ATTRIBUTES, newAttributes } from '../../model/own-attributes.ts';
import { MAX_ATTRIBUTE_LENGTH } from '../../support/meaningful.ts';
import { MAX_ATTRIBUTES } from './otlp-batch.ts';
import { MANY_FIELDS, type ProtobufReader } from './protobuf-reader.ts';
import { ANY_STRING, KEY, readAnyValue, VALUE } from './protobuf-value.ts';
import { MAX_TABLE_TEXT, TextTable } from './text-table.ts';
import { ValueBudget } from './value-budget.ts';
import { WantedKeys } from './wanted-keys.ts';

const keys = new WantedKeys();
const texts = new TextTable();
const budget = new ValueBudget();

/** Of a Span in opentelemetry-proto 1.11. */
export const SPAN_ATTRIBUTES = 0x4a;

/** Of the spans that follow these attributes are read. */
export function wantAttributes(wants: Wants): void {
  keys.use(wants);
}

/**
 * Reads the attributes of a span that are wanted, as many as follow one another, and passes over the others: of most
 * spans all are such. The first one's tag is read already.
 */
export function readAttributes(reader: ProtobufReader, before: Attributes): Attributes {
  const { body, view, end } = reader;
  // A tag may be written in more bytes than it needs.
  if (body[reader.position - 1] !== SPAN_ATTRIBUTES) return readAttribute(reader, before);
  let attributes = before;
  let at = reader.position - 1;
  while (at < end && body[at] === SPAN_ATTRIBUTES) {
    let keyTagAt = at + 2;
    let length = body[at + 1] ?? MORE;
    if (length >= MORE) length = withHighByte(length, body[keyTagAt++]);
    const keyAt = keyTagAt + 2;
    const keyLength = body[keyAt - 1] ?? MORE;
    const valueTagAt = keyAt + keyLength;
    let valueAt = valueTagAt + 2;
    let valueLength = body[valueAt - 1] ?? MORE;
    if (valueLength >= MORE) valueLength = withHighByte(valueLength, body[valueAt++]);
    const stop = keyTagAt + length;
    // As everybody writes them: a short key and a value, and nothing else.
    const isUsual =
      (length | valueLength) < TOO_LONG &&
      keyLength < MORE &&
      stop <= end &&
      valueAt + valueLength === stop &&
      body[keyTagAt] === KEY &&
      body[valueTagAt] === VALUE;
    if (isUsual) {
      const key = keys.find(view, keyAt, keyLength);
      if (key !== undefined) {
        const value = usualText(reader, valueAt, stop) ?? anyValue(reader, valueTagAt + 1);
        attributes = withAttribute(attributes, key, value);
      }
      at = stop;
    } else {
      reader.position = at;
      reader.tag();
      attributes = readAttribute(reader, attributes);
      at = reader.position;
    }
  }
  reader.position = at;
  return attributes;
}

/** Set in every byte of a number but the last. */
const MORE = 0x80;
/** What two bytes do not hold. */
const TOO_LONG = MORE << 7;

/** A length of two bytes; TOO_LONG or more where it has further ones. */
function withHighByte(low: number, high: number = MORE): number {
  return low + ((high - 1) << 7);
}

/** An AnyValue that is a short text and nothing else; undefined where it is not. */
function usualText({ body, view }: ProtobufReader, at: number, stop: number): string | undefined {
  const length = body[at + 1] ?? MORE;
  const isUsual = body[at] === ANY_STRING && length <= MAX_TABLE_TEXT && at + 2 + length === stop;
  return isUsual ? texts.text(texts.find(view, at + 2, length)) : undefined;
}

/** An AnyValue whose length is at `at`. Its fields do not count: where it is not wanted they are not even seen. */
function anyValue(reader: ProtobufReader, at: number): unknown {
  const { fieldsLeft } = reader;
  reader.position = at;
  reader.fieldsLeft = MANY_FIELDS;
  budget.left = MAX_ATTRIBUTE_LENGTH;
  const value = readAnyValue(reader, budget, 0);
  reader.fieldsLeft = fieldsLeft;
  return value;
}

function withAttribute(before: Attributes, key: string, value: unknown): Attributes {
  if (value === undefined) return before;
  if (before === NO_ATTRIBUTES) kept = 0;
  if (kept === MAX_ATTRIBUTES) return before;
  kept++;
  const attributes = before === NO_ATTRIBUTES ? newAttributes() : before;
  attributes[key] = value;
  return attributes;
}

/** Of the span that is being read. */
let kept = 0;

/** Reads an attribute of whatever form. */
function readAttribute(reader: ProtobufReader, before: Attributes): Attributes {
  let attributes = before;
  let keyAt = 0;
  let keyLength = 0;
  let valueAt = NOWHERE;
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
  const end = reader.position;
  const key = valueAt === NOWHERE ? undefined : keys.find(reader.view, keyAt, keyLength);
  if (key !== undefined) attributes = withAttribute(attributes, key, anyValue(reader, valueAt));
  reader.position = end;
  reader.leave(outer);
  return attributes;
}

const NOWHERE = -1;
