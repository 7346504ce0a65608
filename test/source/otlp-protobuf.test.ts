import { describe, expect, it } from 'vitest';
import { plainSpan } from '../../src/model/numeric-span.ts';
import { MalformedBodyError } from '../../src/source/otlp/malformed-body-error.ts';
import { decodeOtlpProtobuf, OtlpProtobufDecoder } from '../../src/source/otlp/otlp-protobuf.ts';
import { encodeOtlp, type OtlpJson } from '../support/otlp-encode.ts';
import { field } from '../support/protobuf-field.ts';
import {
  attribute,
  everything,
  PARENT_ID,
  requestOf,
  SPAN_ID,
  spanJson,
  TRACE_ID,
  WHOLE_SPAN,
} from './otlp-request.ts';

function decode(request: OtlpJson) {
  return decodeOtlpProtobuf(encodeOtlp(request), everything);
}

function faultOf(bytes: Uint8Array | readonly number[]): string {
  try {
    decodeOtlpProtobuf(Uint8Array.from(bytes), everything);
  } catch (error) {
    if (error instanceof MalformedBodyError) return error.message;
    throw error;
  }
  return 'none';
}

/** The bytes of a good span, without the field of ScopeSpans that holds it. */
const SPAN = [
  field(1, Buffer.from(TRACE_ID, 'hex')),
  field(2, Buffer.from(SPAN_ID, 'hex')),
  [0x39, 1, 0, 0, 0, 0, 0, 0, 0],
] as const;

function requestWith(...spanBytes: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  return field(1, field(2, field(2, ...spanBytes)));
}

describe('decodeOtlpProtobuf', () => {
  it('reads a span', () => {
    const { spans } = decode(requestOf([WHOLE_SPAN.json]));
    const read = spans.map((span) => ({
      ...plainSpan(span),
      resource: undefined,
      attributes: { ...span.attributes },
    }));
    expect(read).toEqual([WHOLE_SPAN.read]);
  });

  it('takes an empty request', () => {
    expect(decodeOtlpProtobuf(new Uint8Array(), everything)).toEqual({ spans: [], rejected: 0 });
  });

  it('reads a view into a larger buffer', () => {
    const bytes = encodeOtlp(requestOf([spanJson()]));
    const larger = Buffer.concat([Buffer.alloc(7, 0xff), bytes, Buffer.alloc(7, 0xff)]);
    expect(decodeOtlpProtobuf(larger.subarray(7, -7), everything).spans[0]?.traceId).toBe(TRACE_ID);
  });

  it('keeps the good spans of a batch', () => {
    const spans = [
      spanJson({ traceId: TRACE_ID.slice(2) }),
      spanJson(),
      spanJson({ spanId: '0'.repeat(16) }),
      spanJson({ startTimeUnixNano: undefined }),
      spanJson({ parentSpanId: PARENT_ID.repeat(2), name: 'of an unknown parent' }),
      {},
    ];
    const batch = decode(requestOf(spans));
    expect(batch.spans.map(({ name, parentSpanId }) => [name, parentSpanId])).toEqual([
      ['execute_tool search', undefined],
      ['of an unknown parent', undefined],
    ]);
    expect(batch.rejected).toBe(3);
    expect(batch.message).toBe(
      '3 spans rejected: the trace id is not 16 bytes (2), the span id is all zeros (1)',
    );
    expect(batch.unusable).toBe(1);
  });

  it('reads fields in any order: the resource after its spans, a value before its key', () => {
    const text = field(1, Buffer.from('search'));
    const keyValue = [...field(2, text), ...field(1, Buffer.from('tool'))];
    const spans = [
      ...field(2, ...SPAN, field(9, keyValue)),
      ...field(1, field(1, Buffer.from('late scope'))),
    ];
    const resource = field(
      1,
      field(1, field(1, Buffer.from('service.name')), field(2, field(1, Buffer.from('late')))),
    );
    const [span] = decodeOtlpProtobuf(field(1, field(2, spans), resource), everything).spans;
    expect(span?.scopeName).toBe('late scope');
    expect(span?.resource.serviceName).toBe('late');
    expect({ ...span?.attributes }).toEqual({ tool: 'search' });
  });

  it('reads what stands twice as one: a scope keeps its name where a second one has none', () => {
    const scopes = [field(1, field(1, Buffer.from('scope'))), field(1, field(2, Buffer.from('1.0')))];
    const resources = ['service.name', 'host.name'].map((key) =>
      field(1, field(1, field(1, Buffer.from(key)), field(2, field(1, Buffer.from('a'))))),
    );
    const [first, second] = decodeOtlpProtobuf(
      field(1, ...resources, field(2, ...scopes, field(2, ...SPAN)), field(2, field(2, ...SPAN))),
      everything,
    ).spans;
    expect([first?.scopeName, second?.scopeName]).toEqual(['scope', '']);
    expect(first?.resource.serviceName).toBe('a');
    const alone = decodeOtlpProtobuf(field(1, resources[0] ?? [], field(2, field(2, ...SPAN))), everything);
    expect(first?.resource.identity).not.toBe(alone.spans[0]?.resource.identity);
  });

  it('reads spans of a sender from before 2022, whose field has the number 1000', () => {
    expect(decodeOtlpProtobuf(field(1, field(1000, field(2, ...SPAN))), everything).spans).toHaveLength(1);
  });

  it.each([
    ['a varint', [0xa0, 0x1f, 0xff, 0xff, 0x03]],
    ['64 bits', [0xa1, 0x1f, 1, 2, 3, 4, 5, 6, 7, 8]],
    ['bytes', [0xa2, 0x1f, 2, 0xff, 0xff]],
    ['32 bits', [0xa5, 0x1f, 1, 2, 3, 4]],
    ['a group', [0xa3, 0x1f, 0x0b, 0x08, 1, 0x0c, 0x12, 1, 0xff, 0xa4, 0x1f]],
    ['a known field of another wire type', [0x08, 1, 0x3a, 1, 0xff, 0x4d, 1, 2, 3, 4]],
  ])('skips unknown fields: %s', (_, unknown) => {
    expect(decodeOtlpProtobuf(requestWith(unknown, ...SPAN, unknown), everything).spans).toHaveLength(1);
  });

  it('keeps integers exact', () => {
    const values = [
      '9007199254740991',
      '9007199254740993',
      '-1',
      '-9223372036854775808',
      '9223372036854775807',
      '0',
    ];
    const attributes = values.map((intValue) => attribute(intValue, { intValue }));
    const [span] = decode(requestOf([spanJson({ attributes })])).spans;
    expect(Object.entries(span?.attributes ?? {}).filter(([key, value]) => key !== String(value))).toEqual(
      [],
    );
    expect(span?.attributes['-1']).toBe(-1);
  });

  it('reads no value that is not wanted, not even to see whether it is valid', () => {
    const broken = field(9, field(1, Buffer.from('prompt')), field(2, [0x0a, 0x7f]));
    expect(decodeOtlpProtobuf(requestWith(...SPAN, broken), (key) => key !== 'prompt').spans).toHaveLength(1);
    expect(() => decodeOtlpProtobuf(requestWith(...SPAN, broken), everything)).toThrow(MalformedBodyError);
  });

  it('does not hold on to the body it read bytes from', () => {
    const attributes = [attribute('blob', { bytesValue: 'AQID' })];
    const [span] = decode(requestOf([spanJson({ attributes })])).spans;
    const blob = span?.attributes.blob;
    expect(blob instanceof Uint8Array && blob.buffer.byteLength).toBe(3);
  });

  it('reads 64 levels of a value and leaves out the rest, without deep recursion', () => {
    const nested = (levels: number): Uint8Array => {
      let value = field(1, Buffer.from('bottom'));
      for (let level = 0; level < levels; level++) value = field(5, field(1, value));
      return requestWith(...SPAN, field(9, field(1, Buffer.from('deep')), field(2, value)));
    };
    const json = (levels: number) =>
      JSON.stringify(decodeOtlpProtobuf(nested(levels), everything).spans[0]?.attributes.deep);
    expect(json(64)).toBe(`${'['.repeat(64)}"bottom"${']'.repeat(64)}`);
    expect(json(65)).toBe(`${'['.repeat(64)}null${']'.repeat(64)}`);
    expect(json(2_000)).toBe(`${'['.repeat(64)}null${']'.repeat(64)}`);
  });

  it.each([
    ['a length beyond the end', [0x0a, 0x05, 1], 'a field is longer than the message that holds it (byte 1)'],
    [
      'a length beyond the enclosing message',
      [0x0a, 2, 0x12, 9, ...Array(20).fill(0)],
      'a field is longer than the message that holds it (byte 3)',
    ],
    [
      'a length of 2^63',
      [0x0a, ...Array(8).fill(0xff), 0x7f],
      'a field is longer than the message that holds it (byte 1)',
    ],
    ['a number without end', [0x08, ...Array(20).fill(0xff)], 'a number does not end where it must (byte 1)'],
    [
      'a number that runs out of its message',
      [0x0a, 2, 0x08, 0x80, 0x01],
      'a number does not end where it must (byte 3)',
    ],
    ['a field without value', [0x0a], 'the message ends inside a field (byte 1)'],
    ['64 bits cut short', [0x09, 1, 2], 'the message ends inside a field (byte 1)'],
    ['field 0', [0x02, 0x00], 'a field has the number 0, which no field may have (byte 0)'],
    ['a field number beyond 29 bits', [0x80, 0x80, 0x80, 0x80, 0x10], 'a field number is too large (byte 0)'],
    ['wire type 7', [0x0f, 0], 'there is no wire type 7 (byte 1)'],
    ['the end of no group', [0x0c], 'a group ends that did not begin (byte 1)'],
    ['a group that another ends', [0x0b, 0x14], 'a group ends that did not begin (byte 1)'],
    ['a group without end', [0x0b, 0x08, 1], 'the message ends inside a field (byte 3)'],
    ['a thousand groups in one another', Array(1_000).fill(0x0b), 'groups are nested too deep (byte 64)'],
  ])('tells the byte and the reason of %s', (_, bytes, message) => {
    expect(faultOf(bytes)).toBe(message);
  });
});

describe('OtlpProtobufDecoder', () => {
  const body = Buffer.from(
    encodeOtlp(
      requestOf([
        spanJson({
          attributes: [attribute('a', { stringValue: 'x' }), attribute('b', { stringValue: 'y' })],
        }),
      ]),
    ),
  );

  it('may take turns with another, which wants other attributes', () => {
    const decoders = ['a', 'b'].map(
      (wanted) => new OtlpProtobufDecoder((key) => key === wanted, body.length),
    );
    for (const byte of body) for (const decoder of decoders) decoder.push(Uint8Array.of(byte));
    const read = decoders.map((decoder) => ({ ...decoder.finish().spans[0]?.attributes }));
    expect(read).toEqual([{ a: 'x' }, { b: 'y' }]);
  });

  it('gives out nothing where a part of the body did not come', () => {
    for (let end = 0; end < body.length; end++) {
      const decoder = new OtlpProtobufDecoder(everything, body.length);
      decoder.push(body.subarray(0, end));
      expect(() => decoder.finish()).toThrow(MalformedBodyError);
    }
  });
});
