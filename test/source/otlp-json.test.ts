import { describe, expect, it } from 'vitest';
import { plainSpan } from '../../src/model/numeric-span.ts';
import { decodeOtlpJson } from '../../src/source/otlp/otlp-json.ts';
import type { OtlpJson } from '../support/otlp-encode.ts';
import {
  attribute,
  everything,
  nothing,
  PARENT_ID,
  requestOf,
  SPAN_ID,
  spanJson,
  TRACE_ID,
  WHOLE_SPAN,
} from './otlp-request.ts';

function decode(fields: OtlpJson) {
  const [span, ...others] = decodeOtlpJson(JSON.stringify(requestOf([spanJson(fields)])), everything).spans;
  if (span === undefined || others.length > 0) throw new Error('expected one span');
  return span;
}

function rejection(fields: OtlpJson): string | undefined {
  const batch = decodeOtlpJson(requestOf([spanJson(fields), spanJson()]), everything);
  expect(batch.spans).toHaveLength(1);
  expect(batch.rejected).toBe(1);
  return batch.message;
}

function attributeValue(value: OtlpJson): unknown {
  return decode({ attributes: [attribute('key', value)] }).attributes.key;
}

describe('decodeOtlpJson', () => {
  it('reads a span', () => {
    const { spans } = decodeOtlpJson(JSON.stringify(requestOf([WHOLE_SPAN.json])), everything);
    const read = spans.map((span) => ({
      ...plainSpan(span),
      resource: undefined,
      attributes: { ...span.attributes },
    }));
    expect(read).toEqual([WHOLE_SPAN.read]);
  });

  it('takes an empty request, and one that says nothing it knows', () => {
    for (const body of [
      '{}',
      '{"resourceSpans":[]}',
      '{"resourceSpans":null}',
      '{"later":{"version":[2]}}',
    ]) {
      expect(decodeOtlpJson(body, everything)).toEqual({ spans: [], rejected: 0 });
    }
  });

  it('shares one resource among the spans of a ResourceSpans', () => {
    const resource = { attributes: [attribute('service.name', { stringValue: 'planner' })] };
    const { spans } = decodeOtlpJson(
      requestOf([spanJson(), spanJson({ spanId: PARENT_ID })], resource),
      nothing,
    );
    expect(spans[0]?.resource).toBe(spans[1]?.resource);
    expect(spans[0]?.resource.serviceName).toBe('planner');
  });

  it('reads scopes by the name they had until 2022', () => {
    const library = { instrumentationLibrary: { name: 'old' }, spans: [spanJson()] };
    const batch = decodeOtlpJson({ resourceSpans: [{ instrumentationLibrarySpans: [library] }] }, everything);
    expect(batch.spans.map((span) => span.scopeName)).toEqual(['old']);
  });

  describe('ids', () => {
    it('are hex of any case', () => {
      const span = decode({
        traceId: TRACE_ID.toUpperCase(),
        spanId: SPAN_ID.toUpperCase(),
        parentSpanId: 'B7AD6B7169203331',
      });
      expect([span.traceId, span.spanId, span.parentSpanId]).toEqual([TRACE_ID, SPAN_ID, PARENT_ID]);
    });

    it.each([undefined, null, '', '0000000000000000', 'b7ad', 'b7ad6b716920333g', 7])(
      'a parent id of %j is none',
      (parentSpanId) => {
        expect(decode({ parentSpanId }).parentSpanId).toBeUndefined();
      },
    );

    it.each([
      [{ traceId: undefined }, '1 span rejected: the trace id is not 16 bytes (1)'],
      [{ traceId: 'S/kvNXezTaajzpKdDg5HNg==' }, '1 span rejected: the trace id is not 16 bytes (1)'],
      [{ traceId: '0'.repeat(32) }, '1 span rejected: the trace id is all zeros (1)'],
      [{ traceId: 7 }, '1 span rejected: the trace id is not 16 bytes (1)'],
      [{ spanId: '' }, '1 span rejected: the span id is not 8 bytes (1)'],
      [{ spanId: '00f067aa0ba902bg' }, '1 span rejected: the span id is not 8 bytes (1)'],
      [{ spanId: '0'.repeat(16) }, '1 span rejected: the span id is all zeros (1)'],
    ])('rejects the span alone for %j', (fields, message) => {
      expect(rejection(fields)).toBe(message);
    });

    it('counts the rejected by reason', () => {
      const spans = [
        spanJson({ traceId: '' }),
        spanJson(),
        spanJson({ spanId: '' }),
        spanJson({ traceId: 'x' }),
        'x',
      ];
      const batch = decodeOtlpJson(requestOf(spans), everything);
      expect(batch.rejected).toBe(4);
      expect(batch.message).toBe(
        '4 spans rejected: the trace id is not 16 bytes (2), the span id is not 8 bytes (1), a span is not an object (1)',
      );
    });
  });

  describe('times', () => {
    it.each([
      '"startTimeUnixNano":"1795354563298730797"',
      '"startTimeUnixNano":1795354563298730797',
      '"startTimeUnixNano" : 1795354563298730797 ',
      '"startTimeUnixNano":1.795354563298730797e18',
      '"startTimeUnixNano":"1795354563298730797.000"',
      '"startTimeUnixNano":17953545632987307970E-1',
      '"startTimeUnixNano":1795354563298730797.0',
      '"startTimeUnixNano":1795354563298730797.000',
    ])('are exact to the nanosecond in %s', (time) => {
      const body = JSON.stringify(requestOf([spanJson()])).replace(/"startTimeUnixNano":"\d+"/, time);
      expect(body).toContain(time);
      expect(decodeOtlpJson(body, everything).spans[0]?.start).toEqual([1795354563, 298730797]);
    });

    it('leave text alone that only looks like a number', () => {
      const name = 'a \\": 1795354563298730797, [1795354563298730797] \\\\';
      const body = JSON.stringify(requestOf([spanJson({ name, startTimeUnixNano: 7, traceState: '"' })]));
      const bare = body.replace('"startTimeUnixNano":7', '"startTimeUnixNano":1795354563298730797');
      const [span] = decodeOtlpJson(bare, everything).spans;
      expect(span?.name).toBe(name);
      expect(span?.start).toEqual([1795354563, 298730797]);
    });

    it.each([undefined, null, 0, '0'])('an end of %j is none', (endTimeUnixNano) => {
      expect(decode({ endTimeUnixNano }).end).toBeUndefined();
    });

    it('reach as far as 64 bits', () => {
      expect(decode({ endTimeUnixNano: '18446744073709551615' }).end).toEqual([18446744073, 709551615]);
    });

    it.each([
      '18446744073709551616',
      '-1',
      -1,
      'secret',
      '1.5',
      1.5,
      '',
      '9'.repeat(100_000),
      '1e999',
      true,
      {},
    ])('leave the span out, yet not as a bad one, where one is %.30j', (time) => {
      const spans = [spanJson({ startTimeUnixNano: time }), spanJson({ endTimeUnixNano: time }), spanJson()];
      expect(decodeOtlpJson(requestOf(spans), everything)).toEqual({
        spans: [expect.anything()],
        rejected: 0,
        unusable: 2,
      });
    });

    it.each([undefined, null, 0, '0'])('and where the start is %j', (startTimeUnixNano) => {
      const spans = [spanJson({ startTimeUnixNano }), spanJson({ startTimeUnixNano, spanId: 'x' })];
      expect(decodeOtlpJson(requestOf(spans), everything)).toEqual({
        spans: [],
        rejected: 1,
        message: '1 span rejected: the span id is not 8 bytes (1)',
        unusable: 1,
      });
    });
  });

  it.each([
    [undefined, undefined],
    [0, undefined],
    [1, undefined],
    [0x200, undefined],
    [0x101, false],
    [0x301, true],
    ['769', undefined],
  ])('flags %j say of the parent that it is remote: %j', (flags, expected) => {
    expect(decode({ flags, parentSpanId: PARENT_ID }).parentIsRemote).toBe(expected);
  });

  it.each([
    [0, 0],
    [5, 5],
    [6, 0],
    [-1, 0],
    [1.5, 0],
    ['SPAN_KIND_CLIENT', 0],
    [undefined, 0],
  ])('kind %j is read as %j', (kind, expected) => {
    expect(decode({ kind }).kind).toBe(expected);
  });

  it.each([
    [{ code: 2 }, true],
    [{ code: 1 }, false],
    [{ code: 'STATUS_CODE_ERROR' }, false],
    [{}, false],
    [null, false],
    [undefined, false],
  ])('status %j is an error: %j', (status, expected) => {
    expect(decode({ status }).isError).toBe(expected);
  });

  describe('attributes', () => {
    it.each<[OtlpJson, unknown]>([
      [{ stringValue: 'text' }, 'text'],
      [{ stringValue: '' }, ''],
      [{ boolValue: false }, false],
      [{ intValue: '42' }, 42],
      [{ intValue: -42 }, -42],
      [{ intValue: '9007199254740993' }, 9007199254740993n],
      [{ intValue: '-9223372036854775808' }, -9223372036854775808n],
      [{ doubleValue: 0.5 }, 0.5],
      [{ doubleValue: '0.5' }, 0.5],
      [{ doubleValue: '-Infinity' }, Number.NEGATIVE_INFINITY],
      [{ doubleValue: 'NaN' }, Number.NaN],
      [{ arrayValue: { values: [{ stringValue: 'a' }, { intValue: 1 }, {}] } }, ['a', 1, null]],
      [{ arrayValue: {} }, []],
      [{ bytesValue: 'AP8=' }, new Uint8Array([0, 255])],
    ])('reads %j', (value, expected) => {
      expect(attributeValue(value)).toEqual(expected);
    });

    it.each<OtlpJson>([
      {},
      { intValue: '9223372036854775808' },
      { intValue: '1.5' },
      { intValue: 'secret' },
      { doubleValue: 'secret' },
      { stringValue: 5 },
      { boolValue: 'true' },
      { laterValue: 1 },
    ])('leaves out %j', (value) => {
      expect(Object.keys(decode({ attributes: [attribute('key', value)] }).attributes)).toEqual([]);
    });

    it.each([7, 'x', null, { key: 'x' }, [[]], [null, 'x', { value: {} }, { key: 7 }]])(
      'copes with %j',
      (attributes) => {
        expect(Object.keys(decode({ attributes }).attributes)).toEqual([]);
      },
    );

    it('reads only those that are wanted', () => {
      const attributes = [attribute('a', { stringValue: '1' }), attribute('b', { stringValue: '2' })];
      const { spans } = decodeOtlpJson(requestOf([spanJson({ attributes })]), (key) => key === 'b');
      expect({ ...spans[0]?.attributes }).toEqual({ b: '2' });
    });

    it('takes __proto__ for a key like any other', () => {
      const map = { kvlistValue: { values: [attribute('__proto__', { stringValue: 'inner' })] } };
      const attributes = [
        attribute('__proto__', { stringValue: 'outer' }),
        attribute('constructor', { stringValue: 'c' }),
        attribute('map', map),
      ];
      const span = decode({ attributes });
      expect(Object.keys(span.attributes)).toEqual(['__proto__', 'constructor', 'map']);
      expect(Object.getOwnPropertyDescriptor(span.attributes, '__proto__')?.value).toBe('outer');
      expect(Object.keys(span.attributes.map as object)).toEqual(['__proto__']);
      expect('toString' in span.attributes).toBe(false);
      expect(Object.keys(Object.prototype)).toEqual([]);
    });

    it('reads at most 64 KiB of a value, be it one text or many', () => {
      const long = 'ü'.repeat(70_000);
      expect(attributeValue({ stringValue: long })).toBe(long.slice(0, 65_536));
      const values = [
        { stringValue: 'a'.repeat(65_000) },
        { stringValue: 'b'.repeat(65_000) },
        { stringValue: 'c' },
      ];
      expect(attributeValue({ arrayValue: { values } })).toEqual(['a'.repeat(65_000), 'b'.repeat(534)]);
      const many = Array.from({ length: 70_000 }, () => ({ boolValue: true }));
      expect(attributeValue({ arrayValue: { values: many } })).toHaveLength(65_536);
      expect(attributeValue({ bytesValue: Buffer.alloc(70_000, 1).toString('base64') })).toEqual(
        new Uint8Array(65_536).fill(1),
      );
    });

    it('reads 64 levels of a value and leaves out the rest', () => {
      let value: OtlpJson = { stringValue: 'bottom' };
      for (let level = 0; level < 64; level++) value = { arrayValue: { values: [value] } };
      expect(JSON.stringify(attributeValue(value))).toBe(`${'['.repeat(64)}"bottom"${']'.repeat(64)}`);
      expect(JSON.stringify(attributeValue({ arrayValue: { values: [value] } }))).toBe(
        `${'['.repeat(64)}null${']'.repeat(64)}`,
      );
    });
  });

  describe('a malformed body', () => {
    it.each([
      ['', 'expected a value (byte 0)'],
      ['secret', 'expected a value (byte 0)'],
      ['{"resourceSpans":[', 'expected a value (byte 18)'],
      ['{"ä":"secret" "x"}', 'expected "," or "}" (byte 15)'],
      ['\ufeff{"a":secret}', 'expected a value (byte 8)'],
      ['"secret"', 'expected the request to be an object'],
      ['[]', 'expected the request to be an object'],
      ['{"resourceSpans":{}}', 'expected resourceSpans to be a list'],
      ['{"resourceSpans":[{},"secret"]}', 'expected resourceSpans[1] to be an object'],
      ['{"resourceSpans":[{"resource":"secret"}]}', 'expected resourceSpans[0].resource to be an object'],
      ['{"resourceSpans":[{"scopeSpans":"secret"}]}', 'expected resourceSpans[0].scopeSpans to be a list'],
      [
        '{"resourceSpans":[{"scopeSpans":[{},{"spans":{"secret":1}}]}]}',
        'expected resourceSpans[0].scopeSpans[1].spans to be a list',
      ],
    ])('%j is told with place and reason, never with content', (body, message) => {
      expect(() => decodeOtlpJson(body, everything)).toThrow(
        expect.objectContaining({ name: 'MalformedBodyError', message }),
      );
    });

    it('may not nest beyond 1,000 levels', () => {
      const nested = (levels: number) => `{"x":${'['.repeat(levels)}${']'.repeat(levels)}}`;
      expect(decodeOtlpJson(nested(999), everything).spans).toEqual([]);
      expect(() => decodeOtlpJson(nested(1_000), everything)).toThrow(
        'expected at most 1000 levels (byte 1004)',
      );
      expect(() => decodeOtlpJson('['.repeat(2_000_000), everything)).toThrow('expected at most 1000 levels');
    });
  });
});
