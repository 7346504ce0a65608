import { COLON, type JsonReader, NOT_READ } from './json-reader.ts';
import { MAX_TABLE_TEXT, TextTable } from './text-table.ts';

/** Fields of all OTLP messages that are read. A number stands for the same name wherever it is. */
const FIELDS = [
  'unknown',
  'resourceSpans',
  'resource',
  'scopeSpans',
  'instrumentationLibrarySpans',
  'scope',
  'instrumentationLibrary',
  'spans',
  'traceId',
  'spanId',
  'parentSpanId',
  'name',
  'kind',
  'startTimeUnixNano',
  'endTimeUnixNano',
  'attributes',
  'status',
  'flags',
  'code',
  'key',
  'value',
  'stringValue',
] as const;

/** The number of each field; 0 for any other. */
export const FIELD = {
  unknown: FIELDS.indexOf('unknown'),
  resourceSpans: FIELDS.indexOf('resourceSpans'),
  resource: FIELDS.indexOf('resource'),
  scopeSpans: FIELDS.indexOf('scopeSpans'),
  instrumentationLibrarySpans: FIELDS.indexOf('instrumentationLibrarySpans'),
  scope: FIELDS.indexOf('scope'),
  instrumentationLibrary: FIELDS.indexOf('instrumentationLibrary'),
  spans: FIELDS.indexOf('spans'),
  traceId: FIELDS.indexOf('traceId'),
  spanId: FIELDS.indexOf('spanId'),
  parentSpanId: FIELDS.indexOf('parentSpanId'),
  name: FIELDS.indexOf('name'),
  kind: FIELDS.indexOf('kind'),
  startTimeUnixNano: FIELDS.indexOf('startTimeUnixNano'),
  endTimeUnixNano: FIELDS.indexOf('endTimeUnixNano'),
  attributes: FIELDS.indexOf('attributes'),
  status: FIELDS.indexOf('status'),
  flags: FIELDS.indexOf('flags'),
  code: FIELDS.indexOf('code'),
  key: FIELDS.indexOf('key'),
  value: FIELDS.indexOf('value'),
  stringValue: FIELDS.indexOf('stringValue'),
} as const;

export const FIELD_COUNT: number = FIELDS.length;

/** Moves over a field's name and colon. @returns its number. */
export function readField(reader: JsonReader): number {
  reader.string();
  if (reader.isEscaped) throw NOT_READ;
  const { from, until } = reader;
  reader.expect(COLON);
  return fieldOf(reader, from, until);
}

/** The same for a name that may be escaped. */
export function readAnyField(reader: JsonReader): number {
  reader.string();
  const { from, until, isEscaped } = reader;
  reader.expect(COLON);
  if (!isEscaped) return fieldOf(reader, from, until);
  return until - from > MAX_ESCAPED ? FIELD.unknown : numberOf(JSON.parse(reader.text(from - 1, until + 1)));
}

/** The longest name, all of it escaped. */
const MAX_ESCAPED = 6 * Math.max(...FIELDS.map((name) => name.length));

function fieldOf(reader: JsonReader, from: number, until: number): number {
  if (until - from > MAX_TABLE_TEXT) return FIELD.unknown;
  const slot = names.find(reader.view, from, until - from);
  const mark = names.markOf(slot);
  if (mark !== 0) return mark - 1;
  const found = numberOf(names.text(slot));
  names.mark(slot, found + 1);
  return found;
}

function numberOf(name: string): number {
  return Math.max(FIELD.unknown, (FIELDS as readonly string[]).indexOf(name));
}

/**
 * Marks a field of a message as read.
 * @param seen the fields that were read before, a bit each.
 */
export function once(seen: number, field: number): number {
  if ((seen & (1 << field)) !== 0) throw NOT_READ;
  return field === FIELD.unknown ? seen : seen | (1 << field);
}

const names = new TextTable();
