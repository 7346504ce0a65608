import type { Wants } from '../../conventions/attribute-names.ts';
import { NO_TIME, NumericSpan } from '../../model/numeric-span.ts';
import { type Attributes, newAttributes } from '../../model/own-attributes.ts';
import type { SpanResource } from '../../model/span.ts';
import { readSpanId } from '../../model/span-id.ts';
import { type Time, timeFromUnixNanos } from '../../model/time.ts';
import { readDouble, readInt64, readUint64 } from './json-number.ts';
import { MalformedBodyError } from './malformed-body-error.ts';
import { BAD_ID, BAD_TIME, type DecodedBatch, MAX_ATTRIBUTES, OtlpBatch } from './otlp-batch.ts';
import { isResourceKey, resourceOf } from './resource.ts';
import { cutText, MAX_KEY_LENGTH, MAX_VALUE_DEPTH, ValueBudget } from './value-budget.ts';

/**
 * Decodes an ExportTraceServiceRequest from what `parseJson` made of its JSON: field by field, in any order, whatever
 * the fields hold. A null stands for an absent field.
 *
 *     request → ResourceSpans → ScopeSpans → Span → KeyValue → AnyValue
 *
 * @throws MalformedBodyError where the outer structure is not that of a request.
 */
export function decodeJsonRequest(json: unknown, wants: Wants): DecodedBatch {
  const request = objectAt(json, 'the request');
  const batch = new OtlpBatch();
  const path = 'resourceSpans';
  listAt(request[path], path).forEach((item, index) => {
    const at = `${path}[${index}]`;
    readResourceSpans(objectAt(item, at), at, batch, wants);
  });
  return batch.take();
}

/** What single fields of a request say, for a reader that looks at them one by one. */
export const jsonFields = {
  number: numberOf,
  text: textOf,
  time: timeOf,
  value: (json: unknown): unknown => readAnyValue(json, new ValueBudget(), 0),
  resource(json: unknown): SpanResource {
    const attributes = newAttributes();
    if (isObject(json)) readAttributes(json.attributes, attributes, isResourceKey);
    return resourceOf(attributes);
  },
  scopeName: (json: unknown): string => (isObject(json) ? textOf(json.name) : ''),
  span: readAnySpan,
};

type JsonObject = Readonly<Record<string, unknown>>;

/** `instrumentationLibrarySpans` is what `scopeSpans` was called until 2022. */
const SCOPE_LISTS = [
  ['scopeSpans', 'scope'],
  ['instrumentationLibrarySpans', 'instrumentationLibrary'],
] as const;

function readResourceSpans(resourceSpans: JsonObject, at: string, batch: OtlpBatch, wants: Wants): void {
  const resource = jsonFields.resource(objectAt(resourceSpans.resource ?? {}, `${at}.resource`));
  for (const [listName, scopeName] of SCOPE_LISTS) {
    const path = `${at}.${listName}`;
    listAt(resourceSpans[listName], path).forEach((item, index) => {
      const scopeSpans = objectAt(item, `${path}[${index}]`);
      const scope = objectAt(scopeSpans[scopeName] ?? {}, `${path}[${index}].${scopeName}`);
      const spans = listAt(scopeSpans.spans, `${path}[${index}].spans`);
      readSpans(spans, jsonFields.scopeName(scope), resource, batch, wants);
    });
  }
}

function readSpans(
  spans: readonly unknown[],
  scopeName: string,
  resource: SpanResource,
  batch: OtlpBatch,
  wants: Wants,
): void {
  for (const json of spans) readAnySpan(json, scopeName, resource, batch, wants);
}

function readAnySpan(
  json: unknown,
  scopeName: string,
  resource: SpanResource,
  batch: OtlpBatch,
  wants: Wants,
): void {
  if (isObject(json)) readSpan(json, scopeName, resource, batch, wants);
  else batch.reject('a span is not an object');
}

function readSpan(
  json: JsonObject,
  scopeName: string,
  resource: SpanResource,
  batch: OtlpBatch,
  wants: Wants,
): void {
  const attributes = newAttributes();
  readAttributes(json.attributes, attributes, wants);
  const span = new NumericSpan(scopeName, resource, attributes);
  const hasSpanId = readId(json.spanId);
  span.spanHigh = ID[0] ?? 0;
  span.spanLow = ID[1] ?? 0;
  readId(json.parentSpanId);
  span.parentHigh = ID[0] ?? 0;
  span.parentLow = ID[1] ?? 0;
  [span.startSeconds, span.startNanos] = timeOf(json.startTimeUnixNano);
  [span.endSeconds, span.endNanos] = timeOf(json.endTimeUnixNano);
  span.traceId = traceIdOf(json.traceId);
  span.name = textOf(json.name);
  span.statusCode = isObject(json.status) ? numberOf(json.status.code) : 0;
  span.flags = numberOf(json.flags);
  batch.add(span, numberOf(json.kind), hasSpanId);
}

/** In lower case. */
function traceIdOf(value: unknown): string {
  if (value === undefined || value === null || value === '') return '';
  return typeof value === 'string' && TRACE_ID.test(value) ? value.toLowerCase() : BAD_ID;
}

const TRACE_ID = /^[0-9a-fA-F]{32}$/;

/** @returns whether it is a span id; its halves are in `ID` then, and 0 otherwise. */
function readId(value: unknown): boolean {
  const isId = typeof value === 'string' && readSpanId(value, ID, 0);
  if (!isId) ID.fill(0);
  return isId;
}

const ID = new Int32Array(2);

function timeOf(value: unknown): Time {
  const nanos = readUint64(value ?? 0);
  if (nanos === undefined) return [BAD_TIME, 0];
  return nanos === 0n ? [NO_TIME, 0] : timeFromUnixNanos(nanos);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? cutText(value) : '';
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

/** Reads the attributes whose keys are wanted; the values of others are not looked at. */
function readAttributes(
  list: unknown,
  into: Attributes,
  wants: Wants,
  budget?: ValueBudget,
  depth = 0,
): void {
  if (!Array.isArray(list)) return;
  let kept = 0;
  for (const item of list) {
    if (budget === undefined ? kept === MAX_ATTRIBUTES : !budget.element()) return;
    if (!isObject(item)) continue;
    const key = typeof item.key === 'string' ? item.key : '';
    if (key.length > MAX_KEY_LENGTH || !wants(key)) continue;
    const value = readAnyValue(item.value, budget ?? new ValueBudget(), depth);
    if (value === undefined) continue;
    into[key] = value;
    kept++;
  }
}

/** @returns undefined for a value that is not set, of an unknown kind, or too deep. */
function readAnyValue(value: unknown, budget: ValueBudget, depth: number): unknown {
  if (!isObject(value)) return undefined;
  if (typeof value.stringValue === 'string') return budget.text(value.stringValue);
  if (typeof value.boolValue === 'boolean') return value.boolValue;
  if (isSet(value.intValue)) return readInt64(value.intValue);
  if (isSet(value.doubleValue)) return readDouble(value.doubleValue);
  if (typeof value.bytesValue === 'string') return readBytes(value.bytesValue, budget);
  if (depth === MAX_VALUE_DEPTH) return undefined;
  if (isObject(value.arrayValue)) return readList(value.arrayValue.values, budget, depth + 1);
  if (isObject(value.kvlistValue)) {
    const map = newAttributes();
    readAttributes(value.kvlistValue.values, map, isAnyKey, budget, depth + 1);
    return map;
  }
  return undefined;
}

function readList(values: unknown, budget: ValueBudget, depth: number): unknown[] {
  const list: unknown[] = [];
  for (const value of Array.isArray(values) ? values : []) {
    if (!budget.element()) break;
    list.push(readAnyValue(value, budget, depth) ?? null);
  }
  return list;
}

/** Four characters of Base64 are three bytes; no more is decoded than is kept. */
function readBytes(base64: string, budget: ValueBudget): Uint8Array {
  return budget.bytes(Buffer.from(base64.slice(0, Math.ceil(budget.left / 3) * 4), 'base64'));
}

function isAnyKey(): boolean {
  return true;
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function objectAt(value: unknown, at: string): JsonObject {
  if (!isObject(value)) throw new MalformedBodyError(`expected ${at} to be an object`);
  return value;
}

function listAt(value: unknown, at: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new MalformedBodyError(`expected ${at} to be a list`);
  return value;
}
