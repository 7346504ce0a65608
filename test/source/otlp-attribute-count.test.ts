import { describe, expect, it } from 'vitest';
import { parseJson } from '../../src/source/otlp/json-text.ts';
import { decodeOtlpJson } from '../../src/source/otlp/otlp-json.ts';
import { decodeJsonRequest } from '../../src/source/otlp/otlp-json-value.ts';
import { decodeOtlpProtobuf } from '../../src/source/otlp/otlp-protobuf.ts';
import { encodeOtlp } from '../support/otlp-encode.ts';
import { attribute, everything, requestOf, spanJson } from './otlp-request.ts';

const attributes = Array.from({ length: 3_000 }, (_, n) => attribute(`k${n}`, { intValue: `${n}` }));
const request = requestOf([spanJson({ attributes }), spanJson({ attributes, spanId: '0000000000000002' })]);

describe('of a span with thousands of attributes', () => {
  it.each([
    ['protobuf', () => decodeOtlpProtobuf(Buffer.from(encodeOtlp(request)), everything)],
    ['JSON', () => decodeOtlpJson(Buffer.from(JSON.stringify(request)), everything)],
    ['JSON of any form', () => decodeJsonRequest(parseJson(JSON.stringify(request)), everything)],
  ])('the first 1,024 that are wanted are kept, in %s', (_, decode) => {
    const { spans } = decode();
    const expected = Object.fromEntries(Array.from({ length: 1_024 }, (_, n) => [`k${n}`, n]));
    expect(spans.map((span) => ({ ...span.attributes }))).toEqual([expected, expected]);
  });
});
