import type { Wants } from '../../conventions/attribute-names.ts';
import type { SpanResource } from '../../model/span.ts';
import { FIELD, FIELD_COUNT, readAnyField } from './json-fields.ts';
import {
  CLOSE_LIST,
  CLOSE_OBJECT,
  JsonReader,
  NOT_READ,
  NULL,
  OPEN_LIST,
  OPEN_OBJECT,
} from './json-reader.ts';
import { JsonScan } from './json-scan.ts';
import { parseJson } from './json-text.ts';
import { MAX_PARSED_BYTES } from './json-values.ts';
import { MalformedBodyError } from './malformed-body-error.ts';
import { OtlpBatch, type SpanPieces } from './otlp-batch.ts';
import { readJsonSpan, wantJsonAttributes } from './otlp-json-scan.ts';
import { jsonFields } from './otlp-json-value.ts';

/**
 * Decodes a request in JSON of whatever form a piece at a time:
 *
 *     request → ResourceSpans → ScopeSpans → Span
 *
 * Fields may come in any order, and the last of a name counts. So an object is walked for where they lie before any is
 * read, and nothing is made of what is walked: no body costs more than the spans of a piece, whatever it is made of.
 * That all of it is JSON is made sure of first.
 *
 * @param pieceBytes how much is read in one go.
 * @throws MalformedBodyError where the text is no JSON, or its outer structure is not that of a request.
 */
export function* jsonPieces(bytes: Uint8Array, wants: Wants, pieceBytes: number): SpanPieces {
  const reader = new JsonReader(bytes);
  const batch = new OtlpBatch();
  const request = newPlaces();
  const resourceSpans = newPlaces();
  const scopeSpans = newPlaces();
  const scan = new JsonScan(bytes);
  while (!scan.step(pieceBytes)) yield [];
  findFields(reader, request, 'the request');
  if (!entersList(reader, request, FIELD.resourceSpans, 'resourceSpans')) return batch.take();
  const begin = () => {
    // What is decoded during a pause may want other attributes.
    wantJsonAttributes(wants);
    return reader.position + pieceBytes;
  };
  const pause = function* () {
    yield batch.piece();
    return begin();
  };
  let pauseAt = begin();
  for (let first = true; reader.goesOn(first, CLOSE_LIST); first = false) {
    if (reader.position >= pauseAt) pauseAt = yield* pause();
    if (!findFields(reader, resourceSpans, 'a ResourceSpans')) continue;
    const end = reader.position;
    const json = readShared(reader, resourceSpans, FIELD.resource, 'resource');
    let resource: SpanResource | undefined;
    for (const [list, scope] of SCOPE_LISTS) {
      if (!entersList(reader, resourceSpans, list, 'scopeSpans')) continue;
      for (let first = true; reader.goesOn(first, CLOSE_LIST); first = false) {
        if (reader.position >= pauseAt) pauseAt = yield* pause();
        if (!findFields(reader, scopeSpans, 'a ScopeSpans')) continue;
        const end = reader.position;
        const scopeName = jsonFields.scopeName(readShared(reader, scopeSpans, scope, 'scope'));
        if (entersList(reader, scopeSpans, FIELD.spans, 'spans')) {
          resource ??= jsonFields.resource(json);
          for (let first = true; reader.goesOn(first, CLOSE_LIST); first = false) {
            readAnySpan(reader, scopeName, resource, batch, wants);
            if (reader.position >= pauseAt) pauseAt = yield* pause();
          }
        }
        reader.position = end;
      }
    }
    reader.position = end;
  }
  return batch.take();
}

/** `instrumentationLibrarySpans` is what `scopeSpans` was called until 2022. */
const SCOPE_LISTS = [
  [FIELD.scopeSpans, FIELD.scope],
  [FIELD.instrumentationLibrarySpans, FIELD.instrumentationLibrary],
] as const;

/** Where the value of each field of an object lies, by the field's number. */
type Places = Int32Array;

const NOWHERE = -1;

function newPlaces(): Places {
  return new Int32Array(FIELD_COUNT).fill(NOWHERE);
}

/** What has more is no message of anyone: it would take seconds to look at the names of all. */
const MAX_FIELDS = 2 ** 20;

/** Moves over an object. @returns whether it has a field that is known. */
function findFields(reader: JsonReader, into: Places, what: string): boolean {
  if (reader.next() !== OPEN_OBJECT) throw new MalformedBodyError(`expected ${what}`, reader.position);
  reader.position++;
  let isFound = false;
  into.fill(NOWHERE);
  let left = MAX_FIELDS;
  for (let first = true; reader.goesOn(first, CLOSE_OBJECT); first = false) {
    if (left-- === 0) throw new MalformedBodyError(`expected fewer fields in ${what}`, reader.position);
    const field = readAnyField(reader);
    reader.next();
    into[field] = reader.position;
    if (field !== FIELD.unknown) isFound = true;
    reader.pass();
  }
  return isFound;
}

/** Moves to the value of a field. @returns whether there is one, and it is not null. */
function finds(reader: JsonReader, places: Places, field: number): boolean {
  const at = places[field] ?? NOWHERE;
  if (at === NOWHERE) return false;
  reader.position = at;
  return reader.next() !== NULL;
}

function entersList(reader: JsonReader, places: Places, field: number, what: string): boolean {
  if (!finds(reader, places, field)) return false;
  if (reader.next() !== OPEN_LIST)
    throw new MalformedBodyError(`expected ${what} to be a list`, reader.position);
  reader.position++;
  return true;
}

/** What all spans of a list share. */
function readShared(reader: JsonReader, places: Places, field: number, what: string): unknown {
  if (!finds(reader, places, field)) return undefined;
  const at = reader.position;
  if (reader.next() !== OPEN_OBJECT) throw new MalformedBodyError(`expected ${what} to be an object`, at);
  reader.pass();
  if (reader.position - at > MAX_PARSED_BYTES) throw new MalformedBodyError(`expected less in ${what}`, at);
  return parseJson(reader.text(at, reader.position));
}

/** One of another form than senders write is parsed by itself. */
function readAnySpan(
  reader: JsonReader,
  scopeName: string,
  resource: SpanResource,
  batch: OtlpBatch,
  wants: Wants,
): void {
  const isObject = reader.next() === OPEN_OBJECT;
  const from = reader.position;
  if (isObject && isAsUsual(reader, scopeName, resource, batch)) return;
  reader.position = from;
  reader.pass();
  if (!isObject) batch.reject('a span is not an object');
  // More than can be parsed at once; its ids may be good.
  else if (reader.position - from > MAX_PARSED_BYTES) batch.leaveOut();
  else {
    const json = parseJson(reader.text(from, reader.position));
    jsonFields.span(json, scopeName, resource, batch, wants);
  }
}

function isAsUsual(reader: JsonReader, scopeName: string, resource: SpanResource, batch: OtlpBatch): boolean {
  try {
    readJsonSpan(reader, scopeName, resource, batch);
    return true;
  } catch (error) {
    if (error !== NOT_READ) throw error;
    return false;
  }
}
