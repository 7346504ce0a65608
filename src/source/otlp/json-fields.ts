import { COLON, type JsonReader, NOT_READ } from './json-reader.ts';
import { MAX_TABLE_TEXT, TextTable } from './text-table.ts';

/** The number of each field of all OTLP messages that is read, the same wherever its name is; 0 for any other. */
export const FIELD = {
  unknown: 0,
  resourceSpans: 1,
  resource: 2,
  scopeSpans: 3,
  instrumentationLibrarySpans: 4,
  scope: 5,
  instrumentationLibrary: 6,
  spans: 7,
  traceId: 8,
  spanId: 9,
  parentSpanId: 10,
  name: 11,
  kind: 12,
  startTimeUnixNano: 13,
  endTimeUnixNano: 14,
  attributes: 15,
  status: 16,
  flags: 17,
  code: 18,
  key: 19,
  value: 20,
  stringValue: 21,
} as const;

const NUMBERS: ReadonlyMap<string, number> = new Map(Object.entries(FIELD));

export const FIELD_COUNT: number = NUMBERS.size;

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
const MAX_ESCAPED = 6 * Math.max(...[...NUMBERS.keys()].map((name) => name.length));

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
  return NUMBERS.get(name) ?? FIELD.unknown;
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
