import fc from 'fast-check';
import type { OtlpJson } from '../support/otlp-encode.ts';

const key = fc.oneof(
  fc.constantFrom('a', '__proto__', 'service.name', 'process.pid'),
  // Some that conventions want, and such as only look like them.
  fc.constantFrom(
    'gen_ai.tool.name',
    'gen_ai.tool.call.id',
    'gen_ai.tool.nama',
    'my.span.kind',
    'http.route',
  ),
  fc.string({ unit: 'binary' }),
);
const text = fc.string({ unit: 'binary' });

const { value } = fc.letrec<{ value: OtlpJson; values: OtlpJson[] }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.record({ stringValue: text }),
    fc.record({ boolValue: fc.boolean() }),
    fc.record({ intValue: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String) }),
    fc.record({ intValue: fc.maxSafeInteger() }),
    fc.record({
      doubleValue: fc.double().map((x) => (Number.isFinite(x) && !Object.is(x, -0) ? x : String(x))),
    }),
    fc.record({ bytesValue: fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('base64')) }),
    fc.constant({}),
    fc.record({ arrayValue: fc.record({ values: tie('values') }) }),
    fc.record({
      kvlistValue: fc.record({ values: fc.array(fc.record({ key, value: tie('value') }), { maxLength: 3 }) }),
    }),
  ),
  values: fc.array(tie('value'), { maxLength: 3 }),
}));

const attributes = fc.array(fc.record({ key, value }), { maxLength: 4 });
const hex = (size: number) =>
  fc.uint8Array({ minLength: size, maxLength: size }).map((bytes) => Buffer.from(bytes).toString('hex'));
const nanos = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);

/** A span in OTLP/JSON, of which nearly all are good. */
export const span = fc.record(
  {
    traceId: fc.oneof({ weight: 9, arbitrary: hex(16) }, { weight: 1, arbitrary: hex(8) }),
    spanId: hex(8),
    parentSpanId: fc.oneof(hex(8), fc.constantFrom('', '0'.repeat(16))),
    traceState: text,
    name: text,
    kind: fc.integer({ min: 0, max: 6 }),
    startTimeUnixNano: nanos,
    endTimeUnixNano: fc.oneof({ weight: 4, arbitrary: nanos }, { weight: 1, arbitrary: fc.constant('0') }),
    attributes,
    events: fc.array(fc.record({ timeUnixNano: nanos, name: text, attributes }), { maxLength: 2 }),
    status: fc.record({ code: fc.integer({ min: 0, max: 2 }), message: text }),
    flags: fc.nat({ max: 2 ** 31 - 1 }),
  },
  { requiredKeys: ['traceId', 'spanId', 'startTimeUnixNano'] },
);

/** A whole request of few such spans. */
export const request = fc.record({
  resourceSpans: fc.array(
    fc.record({
      resource: fc.record({ attributes }),
      scopeSpans: fc.array(
        fc.record({ scope: fc.record({ name: text }), spans: fc.array(span, { maxLength: 3 }) }),
        { maxLength: 2 },
      ),
    }),
    { maxLength: 2 },
  ),
});
