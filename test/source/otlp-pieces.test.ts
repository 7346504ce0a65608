import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Wants } from '../../src/conventions/attribute-names.ts';
import type { Span } from '../../src/model/span.ts';
import type { DecodedBatch, SpanPieces } from '../../src/source/otlp/otlp-batch.ts';
import { jsonPieces } from '../../src/source/otlp/otlp-json-pieces.ts';
import { protobufPieces } from '../../src/source/otlp/otlp-protobuf-pieces.ts';
import {
  type Decode,
  type Decoders,
  decodeByAll,
  JSON_DECODERS,
  PROTOBUF_DECODERS,
} from '../support/decoders.ts';
import { encodeOtlp, type OtlpJson } from '../support/otlp-encode.ts';
import { field } from '../support/protobuf-field.ts';
import { Random } from '../wire/mutations.ts';
import { request } from './otlp-arbitraries.ts';
import { attribute, everything, nothing, requestOf, SPAN_ID, spanJson, TRACE_ID } from './otlp-request.ts';
import { scrambledJson, scrambledProtobuf } from './otlp-scrambled.ts';

type Pieces = (body: Buffer, wants: Wants, pieceBytes: number) => SpanPieces;

function joined(pieces: SpanPieces): DecodedBatch {
  const spans: Span[] = [];
  for (;;) {
    const { done, value } = pieces.next();
    if (done) return { ...value, spans: [...spans, ...value.spans] };
    spans.push(...value);
  }
}

/** The decoder that takes a piece at a time, as one that takes all. */
function inPieces(pieces: Pieces, pieceBytes: number): Decode {
  return (body, wants) => joined(pieces(body, wants, pieceBytes));
}

const sizes = fc.constantFrom(1, 60, 1_000, Number.POSITIVE_INFINITY);

describe('a request that is decoded in pieces', () => {
  it('in JSON of any form is what the whole is', () => {
    let decoded = 0;
    fc.assert(
      fc.property(request, fc.nat(), sizes, (json, seed, size) => {
        const decoders: Decoders = { ...JSON_DECODERS, decoders: [inPieces(jsonPieces, size)] };
        const body = Buffer.from(scrambledJson(json, new Random(seed)));
        if ('batch' in decodeByAll(decoders, body, everything)) decoded++;
        decodeByAll(decoders, body.subarray(0, -1), everything);
      }),
      { numRuns: 1_500 },
    );
    expect(decoded).toBeGreaterThan(1_000);
  });

  it('in protobuf of any form likewise', () => {
    fc.assert(
      fc.property(request, fc.nat(), sizes, (json, seed, size) => {
        const decoders: Decoders = { ...PROTOBUF_DECODERS, decoders: [inPieces(protobufPieces, size)] };
        const body = scrambledProtobuf(Buffer.from(encodeOtlp(json)), new Random(seed));
        // Of several faults another may be told than of the whole, which is walked in another order.
        decodeByAll(decoders, body, everything);
      }),
      { numRuns: 500 },
    );
  });

  it('is refused for its fields or not, whatever of it is wanted', () => {
    const list = Buffer.alloc(4 * 600_000, Buffer.from([0x0a, 2, 0x18, 1]));
    const keyValue = field(9, field(1, Buffer.from('long')), field(2, field(5, list)));
    const ids = [field(1, Buffer.from(TRACE_ID, 'hex')), field(2, Buffer.from(SPAN_ID, 'hex'))];
    const start = [0x39, 1, 0, 0, 0, 0, 0, 0, 0];
    const body = Buffer.from(field(1, field(2, field(2, ...ids, start, keyValue))));
    for (const isWanted of [nothing, everything]) {
      const [span] = joined(protobufPieces(body, isWanted, 2 ** 18)).spans;
      expect(Object.keys(span?.attributes ?? {})).toEqual(isWanted === everything ? ['long'] : []);
    }
  });

  const spans = Array.from({ length: 100 }, (_, index) =>
    spanJson({
      name: `span ${index}`,
      attributes: [attribute('a', { intValue: '1' }), attribute('b', { intValue: '2' })],
      ...(index % 10 === 0 && { spanId: '' }),
      ...(index % 10 === 1 && { startTimeUnixNano: '0' }),
    }),
  );
  const encodings: readonly [string, Pieces, (json: OtlpJson) => Buffer][] = [
    ['JSON', jsonPieces, (json) => Buffer.from(JSON.stringify(json))],
    ['protobuf', protobufPieces, (json) => Buffer.from(encodeOtlp(json))],
  ];

  it.each(encodings)('in %s comes with the counts of all pieces at the end', (_, pieces, encode) => {
    const made = [...pieces(encode(requestOf(spans)), everything, 500)];
    expect(made.filter((piece) => piece.length > 0).length).toBeGreaterThan(10);
    expect(Math.max(...made.map((piece) => piece.length))).toBeLessThan(20);
    const { spans: all, ...counts } = joined(pieces(encode(requestOf(spans)), everything, 500));
    expect(all).toHaveLength(80);
    expect(counts).toEqual({
      rejected: 10,
      message: '10 spans rejected: the span id is not 8 bytes (10)',
      unusable: 10,
    });
  });

  it.each(encodings)('in %s may take turns with another', (_, pieces, encode) => {
    const body = encode(requestOf(spans));
    const ofA = pieces(body, (key) => key === 'a', 500);
    const ofB = pieces(body, (key) => key === 'b', 500);
    const keys = [new Set<string>(), new Set<string>()];
    let isDone = false;
    while (!isDone) {
      for (const [index, decoding] of [ofA, ofB].entries()) {
        const { done = false, value } = decoding.next();
        for (const { attributes } of 'spans' in value ? value.spans : value) {
          for (const key of Object.keys(attributes)) keys[index]?.add(key);
        }
        isDone = done;
      }
    }
    expect(keys).toEqual([new Set(['a']), new Set(['b'])]);
  });
});

describe('a span in JSON that is too large to be parsed', () => {
  const large = 'x'.repeat(5 * 2 ** 20);

  it('is read where it is written as senders do', () => {
    const json = requestOf([spanJson({ attributes: [attribute('a', { stringValue: large })] })]);
    const [span] = joined(jsonPieces(Buffer.from(JSON.stringify(json)), everything, 1_000)).spans;
    expect(span?.attributes.a).toBe(large.slice(0, 65_536));
  });

  it('and is left out where it is not, beside good ones', () => {
    const odd = spanJson({ kind: [large] });
    const body = JSON.stringify(requestOf([odd, spanJson()]));
    const twice = body.replace(`"spanId":"${SPAN_ID}"`, (id) => `${id},${id}`);
    const { spans, ...counts } = joined(jsonPieces(Buffer.from(twice), everything, 1_000));
    expect(spans).toHaveLength(1);
    expect(counts).toEqual({ rejected: 0, unusable: 1 });
  });
});
