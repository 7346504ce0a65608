import type { SpanResource } from '../../src/model/span.ts';
import { readDouble, readInt64, readUint64 } from '../../src/source/otlp/json-number.ts';
import { parseJson } from '../../src/source/otlp/json-text.ts';
import { MalformedBodyError } from '../../src/source/otlp/malformed-body-error.ts';
import { type DecodedBatch, newAttributes, type Wants } from '../../src/source/otlp/otlp-batch.ts';
import { isResourceKey, resourceOf } from '../../src/source/otlp/resource.ts';
import { cutText, MAX_KEY_LENGTH, MAX_VALUE_DEPTH, ValueBudget } from '../../src/source/otlp/value-budget.ts';
import { BAD_ID, emptySpan, PlainOtlpBatch, type RawSpan } from './plain-otlp-batch.ts';

/**
 * The plain counterpart of decodeOtlpJson: what that is tested against.
 *
 * Decodes an ExportTraceServiceRequest in OTLP's JSON mapping (opentelemetry-proto 1.11): ids in hex of any case, names
 * in lowerCamelCase, 64-bit numbers as strings or numbers, enums as integers, unknown fields ignored. A null stands
 * for an absent field.
 *
 *     request → ResourceSpans → ScopeSpans → Span → KeyValue → AnyValue
 *
 * @param body the text, or what `parseJson` made of it. JSON.parse instead would round bare nanoseconds.
 * @throws MalformedBodyError where the text is no JSON, or its outer structure is not that of a request.
 */
export function plainDecodeOtlpJson(body: unknown, wants: Wants): DecodedBatch {
  const request = objectAt(typeof body === 'string' ? parseJson(body) : body, 'the request');
  const batch = new PlainOtlpBatch();
  const path = 'resourceSpans';
  listAt(request[path], path).forEach((item, index) => {
    const at = `${path}[${index}]`;
    readResourceSpans(objectAt(item, at), at, batch, wants);
  });
  return batch.finish();
}

type JsonObject = Readonly<Record<string, unknown>>;

/** `instrumentationLibrarySpans` is what `scopeSpans` was called until 2022. */
const SCOPE_LISTS = [
  ['scopeSpans', 'scope'],
  ['instrumentationLibrarySpans', 'instrumentationLibrary'],
] as const;

function readResourceSpans(resourceSpans: JsonObject, at: string, batch: PlainOtlpBatch, wants: Wants): void {
  const attributes = newAttributes();
  const resourceJson = objectAt(resourceSpans.resource ?? {}, `${at}.resource`);
  readAttributes(resourceJson.attributes, attributes, isResourceKey);
  const resource = resourceOf(attributes);
  for (const [listName, scopeName] of SCOPE_LISTS) {
    const path = `${at}.${listName}`;
    listAt(resourceSpans[listName], path).forEach((item, index) => {
      const scopeSpans = objectAt(item, `${path}[${index}]`);
      const scope = objectAt(scopeSpans[scopeName] ?? {}, `${path}[${index}].${scopeName}`);
      const spans = listAt(scopeSpans.spans, `${path}[${index}].spans`);
      readSpans(spans, textOf(scope.name), resource, batch, wants);
    });
  }
}

function readSpans(
  spans: readonly unknown[],
  scopeName: string,
  resource: SpanResource,
  batch: PlainOtlpBatch,
  wants: Wants,
): void {
  for (const json of spans) {
    if (isObject(json)) batch.add(readSpan(json, wants), scopeName, resource);
    else batch.reject('a span is not an object');
  }
}

function readSpan(json: JsonObject, wants: Wants): RawSpan {
  const span = emptySpan();
  span.traceId = idOf(json.traceId);
  span.spanId = idOf(json.spanId);
  span.parentSpanId = idOf(json.parentSpanId);
  span.name = textOf(json.name);
  span.kind = numberOf(json.kind);
  span.startNanos = readUint64(json.startTimeUnixNano ?? 0);
  span.endNanos = readUint64(json.endTimeUnixNano ?? 0);
  span.flags = numberOf(json.flags);
  if (isObject(json.status)) span.statusCode = numberOf(json.status.code);
  readAttributes(json.attributes, span.attributes, wants);
  return span;
}

/** Lower case, and no longer than the longest id; PlainOtlpBatch judges the rest. */
function idOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' && value.length <= 32 ? value.toLowerCase() : BAD_ID;
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
  into: Record<string, unknown>,
  wants: Wants,
  budget?: ValueBudget,
  depth = 0,
): void {
  if (!Array.isArray(list)) return;
  for (const item of list) {
    if (budget !== undefined && !budget.element()) return;
    if (!isObject(item)) continue;
    const key = typeof item.key === 'string' ? item.key : '';
    if (key.length > MAX_KEY_LENGTH || !wants(key)) continue;
    const value = readAnyValue(item.value, budget ?? new ValueBudget(), depth);
    if (value !== undefined) into[key] = value;
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
