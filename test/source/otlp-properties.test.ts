import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MalformedBodyError } from '../../src/source/otlp/malformed-body-error.ts';
import type { DecodedBatch } from '../../src/source/otlp/otlp-batch.ts';
import { decodeOtlpJson } from '../../src/source/otlp/otlp-json.ts';
import { decodeOtlpProtobuf } from '../../src/source/otlp/otlp-protobuf.ts';
import { encodeOtlp } from '../support/otlp-encode.ts';
import { request, span } from './otlp-arbitraries.ts';
import { everything } from './otlp-request.ts';

/** Runs a decoder on anything; the one error it may throw is told from a crash. */
function outcome(decode: () => DecodedBatch): DecodedBatch | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof MalformedBodyError) return undefined;
    throw error;
  }
}

/** All that an error shows; empty where there is none. */
function errorOf(decode: () => DecodedBatch): string {
  try {
    decode();
    return '';
  } catch (error) {
    return error instanceof Error ? `${error.stack} ${JSON.stringify(error)} ${error.cause}` : String(error);
  }
}

describe('both decoders', () => {
  it('read the same request alike', () => {
    fc.assert(
      fc.property(request, (json) => {
        const fromJson = decodeOtlpJson(JSON.stringify(json), everything);
        expect(decodeOtlpProtobuf(encodeOtlp(json), everything)).toEqual(fromJson);
      }),
      { numRuns: 300 },
    );
  });

  it('keep every nanosecond', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }), (time) => {
        const json = {
          resourceSpans: [
            {
              scopeSpans: [
                {
                  spans: [
                    { traceId: '1'.repeat(32), spanId: '2'.repeat(16), startTimeUnixNano: String(time) },
                  ],
                },
              ],
            },
          ],
        };
        const bare = JSON.stringify(json).replace(/"startTimeUnixNano":"(\d+)"/, '"startTimeUnixNano":$1');
        const batches = [
          decodeOtlpJson(json, everything),
          decodeOtlpJson(bare, everything),
          decodeOtlpProtobuf(encodeOtlp(json), everything),
        ];
        for (const { spans } of batches) {
          const [seconds = -1, fraction = -1] = spans[0]?.start ?? [];
          expect(BigInt(seconds) * 1_000_000_000n + BigInt(fraction)).toBe(time);
        }
      }),
    );
  });

  it('never show what is not wanted, in spans, messages or errors', () => {
    const canary = 'CANARY-5f2b';
    const secretive = span.map((fields) => ({
      ...fields,
      traceId: '1'.repeat(32),
      spanId: '2'.repeat(16),
      startTimeUnixNano: '1',
      traceState: canary,
      status: { code: 2, message: canary },
      events: [
        { timeUnixNano: '1', name: canary, attributes: [{ key: canary, value: { stringValue: canary } }] },
      ],
      attributes: [
        { key: 'gen_ai.prompt', value: { stringValue: canary } },
        { key: canary, value: { intValue: 1 } },
        {
          key: 'args',
          value: { kvlistValue: { values: [{ key: canary, value: { stringValue: canary } }] } },
        },
        { key: 'tool', value: { stringValue: 'search' } },
      ],
    }));
    const resource = { attributes: [{ key: 'host.name', value: { stringValue: canary } }] };
    const wants = (name: string) => name === 'tool';
    fc.assert(
      fc.property(secretive, fc.nat(), fc.nat({ max: 255 }), (fields, place, byte) => {
        const json = {
          resourceSpans: [{ resource, scopeSpans: [{ spans: [fields, { traceId: canary }] }] }],
        };
        const batches = [
          decodeOtlpJson(JSON.stringify(json), wants),
          decodeOtlpProtobuf(encodeOtlp(json), wants),
        ];
        expect(JSON.stringify(batches)).toContain('search');
        expect(JSON.stringify(batches)).not.toContain(canary);

        const brokenJson = Buffer.from(JSON.stringify(json));
        brokenJson[place % brokenJson.length] = byte;
        expect(errorOf(() => decodeOtlpJson(brokenJson.toString('utf8'), wants))).not.toContain(canary);
        const brokenProtobuf = encodeOtlp(json);
        brokenProtobuf[place % brokenProtobuf.length] = byte;
        expect(errorOf(() => decodeOtlpProtobuf(brokenProtobuf, wants))).not.toContain(canary);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a damaged request', () => {
  it('cut at any byte is an error with its place, or a shorter request', () => {
    fc.assert(
      fc.property(request, (json) => {
        const bytes = encodeOtlp(json).subarray(0, 600);
        const string = JSON.stringify(json).slice(0, 600);
        for (let cut = 0; cut < bytes.length; cut++) {
          outcome(() => decodeOtlpProtobuf(bytes.subarray(0, cut), everything));
        }
        for (let cut = 0; cut < string.length; cut++) {
          expect(() => decodeOtlpJson(string.slice(0, cut), everything)).toThrow(
            /^expected .* \(byte \d+\)$/,
          );
        }
      }),
      { numRuns: 20 },
    );
  });

  it('with bytes changed, added or removed is never more than an error', () => {
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 3 }), fc.uint8Array({ maxLength: 3 })), {
      maxLength: 4,
    });
    fc.assert(
      fc.property(request, edits, (json, changes) => {
        for (const original of [encodeOtlp(json), Buffer.from(JSON.stringify(json))]) {
          let bytes = Buffer.from(original);
          for (const [at, removed, added] of changes) {
            const place = at % (bytes.length + 1);
            bytes = Buffer.concat([bytes.subarray(0, place), added, bytes.subarray(place + removed)]);
          }
          outcome(() => decodeOtlpProtobuf(bytes, everything));
          outcome(() => decodeOtlpJson(bytes.toString('utf8'), everything));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('of random bytes or random JSON is never more than an error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        outcome(() => decodeOtlpProtobuf(bytes, everything));
        outcome(() =>
          decodeOtlpProtobuf(new Uint8Array([0x0a, bytes.length, 0x12, bytes.length, ...bytes]), everything),
        );
      }),
      { numRuns: 1_000 },
    );
    const odd = fc.anything({ withNullPrototype: true, withBigInt: true });
    fc.assert(
      fc.property(odd, odd, odd, (resource, spans, attribute) => {
        outcome(() => decodeOtlpJson({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] }, everything));
        const list = [
          {
            traceId: resource,
            spanId: spans,
            name: attribute,
            attributes: [attribute, { key: 'a', value: spans }],
          },
        ];
        outcome(() => decodeOtlpJson({ resourceSpans: [{ scopeSpans: [{ spans: list }] }] }, everything));
      }),
    );
  });
});
