import { isDeepStrictEqual } from 'node:util';
import type { Wants } from '../../src/conventions/attribute-names.ts';
import { plainSpan } from '../../src/model/numeric-span.ts';
import { parseJson } from '../../src/source/otlp/json-text.ts';
import { MalformedBodyError } from '../../src/source/otlp/malformed-body-error.ts';
import type { DecodedBatch } from '../../src/source/otlp/otlp-batch.ts';
import { decodeOtlpJson } from '../../src/source/otlp/otlp-json.ts';
import { decodeJsonRequest } from '../../src/source/otlp/otlp-json-value.ts';
import { decodeOtlpProtobuf, OtlpProtobufDecoder } from '../../src/source/otlp/otlp-protobuf.ts';
import { isResourceKey } from '../../src/source/otlp/resource.ts';
import { Random } from '../wire/mutations.ts';
import { exactJson } from './exact-json.ts';
import { KNOWN_FAULT } from './known-fault.ts';
import { expectedBatch } from './otlp-oracle.ts';
import { requestByProtobufjs } from './request-by-protobufjs.ts';
import { strictProtobuf } from './strict-protobuf.ts';

export type Decode = (body: Buffer, wants: Wants) => DecodedBatch;

/** Decoders of one encoding, and what must come of every body. */
export interface Decoders {
  readonly decoders: readonly [Decode, ...Decode[]];
  readonly oracle: Decode;
}

/** The others get the body in pieces: a byte at a time, and of sizes that differ from body to body. */
export const PROTOBUF_DECODERS: Decoders = {
  decoders: [
    decodeOtlpProtobuf,
    inPiecesOf(() => 1),
    (body, wants) => inPiecesOf(sizesFor(body))(body, wants),
  ],
  oracle: (body, wants) => {
    const strict = strictProtobuf(body, wants, isResourceKey);
    return expectedBatch(requestByProtobufjs(strict), wants);
  },
};

/** Nothing may look at a piece any more once it was pushed. @param sizeOf the next piece. */
function inPiecesOf(sizeOf: () => number): Decode {
  return (body, wants) => {
    const decoder = new OtlpProtobufDecoder(wants, body.length);
    for (let from = 0; from < body.length; ) {
      const piece = Buffer.from(body.subarray(from, from + sizeOf()));
      from += piece.length;
      decoder.push(piece);
      piece.fill(0xff);
    }
    return decoder.finish();
  };
}

/** Of one byte to a few hundred, most of them small. */
function sizesFor(body: Buffer): () => number {
  const random = new Random(body.reduce((seed, byte) => (seed * 31 + byte) >>> 0, body.length));
  return () => 1 + random.below(2 ** (1 + random.below(8)));
}

/** The second reads what the first, which takes the first way that can, leaves to it. */
export const JSON_DECODERS: Decoders = {
  decoders: [decodeOtlpJson, (body, wants) => decodeJsonRequest(parseJson(body.toString('utf8')), wants)],
  oracle: (body, wants) => expectedBatch(exactJson(body.toString('utf8')), wants),
};

/** A batch, or how the body was refused. */
export type Outcome = { readonly batch: DecodedBatch } | Refusal;

interface Refusal {
  readonly fault: string;
  readonly byteOffset: number | undefined;
}

/**
 * @returns what all decoders make of the body.
 * @throws Error that shows the body where a decoder does anything else than decode it or refuse it, as the oracle does;
 * or where it refuses it in other words than the first, or in such as may be the body's.
 */
export function decodeByAll({ decoders, oracle }: Decoders, body: Buffer, wants: Wants): Outcome {
  const expected = outcomeOf(oracle, body, wants);
  const outcomes = decoders.map((decode) => outcomeOf(decode, body, wants));
  const [outcome = expected] = outcomes;
  const isAsExpected =
    'fault' in outcome ? 'fault' in expected && isKnown(outcome, body) : isDeepStrictEqual(outcome, expected);
  if (!isAsExpected || outcomes.some((other) => !isDeepStrictEqual(other, outcome))) {
    throw new Error(`the decoders do not agree on ${body.toString('base64')}`, {
      cause: { outcomes, expected },
    });
  }
  return outcome;
}

function outcomeOf(decode: Decode, body: Buffer, wants: Wants): Outcome {
  try {
    const batch = decode(body, wants);
    return { batch: { ...batch, spans: batch.spans.map(plainSpan) } };
  } catch (error) {
    if (error instanceof MalformedBodyError) return { fault: error.message, byteOffset: error.byteOffset };
    throw error;
  }
}

/** Of JSON the place is told in its text, where what is no UTF-8 has been made a character of three bytes. */
function isKnown({ fault, byteOffset = 0 }: Refusal, body: Buffer): boolean {
  const length = fault.startsWith('expected') ? Buffer.byteLength(body.toString('utf8')) : body.length;
  return KNOWN_FAULT.test(fault) && byteOffset >= 0 && byteOffset <= length;
}
