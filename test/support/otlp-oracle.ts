import type { Wants } from '../../src/conventions/attribute-names.ts';
import { newAttributes } from '../../src/model/own-attributes.ts';
import type { Span, SpanKind, SpanResource } from '../../src/model/span.ts';
import type { Time } from '../../src/model/time.ts';
import { MalformedBodyError } from '../../src/source/otlp/malformed-body-error.ts';
import type { DecodedBatch } from '../../src/source/otlp/otlp-batch.ts';
import { resourceOf } from '../../src/source/otlp/resource.ts';

/**
 * What a decoder must make of a request: the rules of OTLP and the bounds of spanplan, in the plainest words. They share
 * no reading code with the decoders, so that one mistake does not stand on both sides.
 *
 * @param request a request in OTLP's JSON mapping, as a parser of JSON or of protobuf gives it; bytes may be bytes.
 * @throws MalformedBodyError where its lists and objects are not those of a request.
 */
export function expectedBatch(request: unknown, wants: Wants): DecodedBatch {
  const spans: Span[] = [];
  const faults: string[] = [];
  let unusable = 0;
  for (const resourceSpans of list(object(request).resourceSpans)) {
    const { resource, scopeSpans, instrumentationLibrarySpans } = object(resourceSpans);
    const from = resourceOf(attributesOf(object(resource ?? {}).attributes, () => true));
    const scopes = [
      ...list(scopeSpans).map((item) => [object(item), object(item).scope] as const),
      // Their names until 2022.
      ...list(instrumentationLibrarySpans).map(
        (item) => [object(item), object(item).instrumentationLibrary] as const,
      ),
    ];
    for (const [{ spans: items }, scope] of scopes) {
      const scopeName = text(object(scope ?? {}).name);
      for (const item of list(items)) {
        const span = isObject(item) ? spanOf(item, scopeName, from, wants) : 'a span is not an object';
        if (typeof span === 'string') faults.push(span);
        else if (span === undefined) unusable++;
        else spans.push(span);
      }
    }
  }
  return { spans, rejected: faults.length, ...messageOf(faults), ...(unusable > 0 && { unusable }) };
}

type JsonObject = Readonly<Record<string, unknown>>;

/** @returns why the span has no good ids; undefined for one that says no time that it could be learned by. */
function spanOf(
  json: JsonObject,
  scopeName: string,
  resource: SpanResource,
  wants: Wants,
): Span | string | undefined {
  const traceId = hex(json.traceId);
  const spanId = hex(json.spanId);
  const parentSpanId = hex(json.parentSpanId);
  if (!/^[0-9a-f]{32}$/.test(traceId)) return 'the trace id is not 16 bytes';
  if (/^0+$/.test(traceId)) return 'the trace id is all zeros';
  if (!/^[0-9a-f]{16}$/.test(spanId)) return 'the span id is not 8 bytes';
  if (/^0+$/.test(spanId)) return 'the span id is all zeros';
  const start = wholeNumber(json.startTimeUnixNano ?? 0, 0n, 2n ** 64n);
  const end = wholeNumber(json.endTimeUnixNano ?? 0, 0n, 2n ** 64n);
  if (start === undefined || start === 0n || end === undefined) return undefined;
  const flags = typeof json.flags === 'number' ? json.flags : 0;
  return {
    traceId,
    spanId,
    parentSpanId: /^(?!0+$)[0-9a-f]{16}$/.test(parentSpanId) ? parentSpanId : undefined,
    parentIsRemote: (flags & 0x100) !== 0 ? (flags & 0x200) !== 0 : undefined,
    name: text(json.name),
    kind: ([1, 2, 3, 4, 5] as const).find((kind: SpanKind) => kind === json.kind) ?? 0,
    start: timeOf(start),
    end: end === 0n ? undefined : timeOf(end),
    isError: isObject(json.status) && json.status.code === 2,
    scopeName,
    resource,
    attributes: attributesOf(json.attributes, wants),
  };
}

/** Each fault with its count, in the order in which they came. */
function messageOf(faults: readonly string[]): { readonly message?: string } {
  if (faults.length === 0) return {};
  const parts = [...new Set(faults)].map(
    (fault) => `${fault} (${faults.filter((other) => other === fault).length})`,
  );
  return { message: `${faults.length} span${faults.length === 1 ? '' : 's'} rejected: ${parts.join(', ')}` };
}

function timeOf(nanos: bigint): Time {
  return [Number(nanos / 10n ** 9n), Number(nanos % 10n ** 9n)];
}

/** The most that is read of a text or a value, in UTF-16 units, bytes and elements. */
const MAX_VALUE = 65_536;
const MAX_KEY = 1_024;
const MAX_DEPTH = 64;

/** How much of a value may still be read. */
interface Rest {
  left: number;
}

function attributesOf(json: unknown, wants: Wants): Record<string, unknown> {
  const attributes = newAttributes();
  for (const item of Array.isArray(json) ? json : []) {
    addAttribute(attributes, item, wants, { left: MAX_VALUE }, 0);
  }
  return attributes;
}

function addAttribute(
  to: Record<string, unknown>,
  item: unknown,
  wants: Wants,
  rest: Rest,
  depth: number,
): void {
  if (!isObject(item)) return;
  const key = typeof item.key === 'string' ? item.key : '';
  if (key.length > MAX_KEY || !wants(key)) return;
  const value = anyValue(item.value, rest, depth);
  if (value !== undefined) to[key] = value;
}

/** Of an AnyValue; undefined for one that says nothing. */
function anyValue(json: unknown, rest: Rest, depth: number): unknown {
  if (!isObject(json)) return undefined;
  const { stringValue, boolValue, intValue, doubleValue, bytesValue, arrayValue, kvlistValue } = json;
  if (typeof stringValue === 'string') return taken(stringValue, rest);
  if (typeof boolValue === 'boolean') return boolValue;
  if (intValue !== undefined && intValue !== null) return int64(intValue);
  if (doubleValue !== undefined && doubleValue !== null) return double(doubleValue);
  if (typeof bytesValue === 'string') return taken(new Uint8Array(Buffer.from(bytesValue, 'base64')), rest);
  if (bytesValue instanceof Uint8Array) return taken(new Uint8Array(bytesValue), rest);
  if (depth === MAX_DEPTH) return undefined;
  if (isObject(arrayValue)) {
    return Array.from(elements(arrayValue.values, rest), (item) => anyValue(item, rest, depth + 1) ?? null);
  }
  if (!isObject(kvlistValue)) return undefined;
  const map = newAttributes();
  for (const item of elements(kvlistValue.values, rest)) {
    addAttribute(map, item, () => true, rest, depth + 1);
  }
  return map;
}

/** Those that there is room for, each of which takes a place beside what is in it. */
function* elements(json: unknown, rest: Rest): Generator<unknown> {
  for (const item of Array.isArray(json) ? json : []) {
    if (rest.left === 0) return;
    rest.left--;
    yield item;
  }
}

/** As much of a text or of bytes as there is room for. */
function taken<T extends string | Uint8Array>(whole: T, rest: Rest): T {
  const kept = whole.slice(0, rest.left) as T;
  rest.left -= kept.length;
  return kept;
}

const DECIMAL = /^(-?\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/;
const LONGEST_DECIMAL = 400;

/** A number or its digits, which may have an exponent. @returns undefined where it is not whole, or out of range. */
function wholeNumber(json: unknown, from: bigint, below: bigint): bigint | undefined {
  if (typeof json !== 'string' && typeof json !== 'number') return undefined;
  const digits = typeof json === 'number' && Number.isInteger(json) ? String(BigInt(json)) : String(json);
  const [, units, fraction = '', exponent = '0'] =
    (digits.length <= LONGEST_DECIMAL && DECIMAL.exec(digits)) || [];
  if (units === undefined) return undefined;
  const scale = Number(exponent) - fraction.length;
  const power = 10n ** BigInt(Math.abs(scale));
  const scaled = BigInt(units + fraction);
  if (scale < 0 && scaled % power !== 0n) return undefined;
  const whole = scale < 0 ? scaled / power : scaled * power;
  return whole >= from && whole < below ? whole : undefined;
}

/** As a number where that is exact; one that is comes as it is, a zero with its sign. */
function int64(json: unknown): number | bigint | undefined {
  if (typeof json === 'number' && Number.isSafeInteger(json)) return json;
  const whole = wholeNumber(json, -(2n ** 63n), 2n ** 63n);
  return Number.isSafeInteger(Number(whole)) ? Number(whole) : whole;
}

function double(json: unknown): number | undefined {
  if (typeof json === 'number') return json;
  if (typeof json !== 'string') return undefined;
  const isNumber = json.length <= LONGEST_DECIMAL && DECIMAL.test(json);
  return isNumber || /^(NaN|-?Infinity)$/.test(json) ? Number(json) : undefined;
}

/** In lower case; what is missing has no digits. */
function hex(json: unknown): string {
  if (json instanceof Uint8Array) return Buffer.from(json).toString('hex');
  return typeof json === 'string' && /^[0-9a-fA-F]*$/.test(json) ? json.toLowerCase() : '';
}

function text(json: unknown): string {
  return typeof json === 'string' ? json.slice(0, MAX_VALUE) : '';
}

function isObject(json: unknown): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

function object(json: unknown): JsonObject {
  if (!isObject(json)) throw new MalformedBodyError('not an object');
  return json;
}

function list(json: unknown): readonly unknown[] {
  const items = json ?? [];
  if (!Array.isArray(items)) throw new MalformedBodyError('not a list');
  return items;
}
