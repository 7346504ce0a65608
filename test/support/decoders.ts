import { isDeepStrictEqual } from 'node:util';
import { MalformedBodyError } from '../../src/source/otlp/malformed-body-error.ts';
import type { DecodedBatch, Wants } from '../../src/source/otlp/otlp-batch.ts';
import { decodeOtlpJson } from '../../src/source/otlp/otlp-json.ts';
import { decodeOtlpProtobuf } from '../../src/source/otlp/otlp-protobuf.ts';
import { plainDecodeOtlpJson } from './plain-otlp-json.ts';
import { plainDecodeOtlpProtobuf } from './plain-otlp-protobuf.ts';

/** A decoder of one encoding, and the plain one that it must agree with on every body. */
export interface DecoderPair {
  readonly fast: (body: Buffer, wants: Wants) => DecodedBatch;
  readonly plain: (body: Buffer, wants: Wants) => DecodedBatch;
}

export const PROTOBUF_DECODERS: DecoderPair = { fast: decodeOtlpProtobuf, plain: plainDecodeOtlpProtobuf };

export const JSON_DECODERS: DecoderPair = {
  fast: decodeOtlpJson,
  plain: (body, wants) => plainDecodeOtlpJson(body.toString('utf8'), wants),
};

/** A batch, or how the body was refused. */
export type Outcome = { readonly batch: DecodedBatch } | { readonly fault: string };

/** @throws Error where a decoder does anything else than decode the body or refuse it, or the two do not agree. */
export function decodeByBoth({ fast, plain }: DecoderPair, body: Buffer, wants: Wants): Outcome {
  const outcome = outcomeOf(() => fast(body, wants));
  const expected = outcomeOf(() => plain(body, wants));
  if (!isDeepStrictEqual(outcome, expected)) {
    throw new Error(`the decoders do not agree on ${body.toString('base64')}`, {
      cause: { outcome, expected },
    });
  }
  return outcome;
}

function outcomeOf(decode: () => DecodedBatch): Outcome {
  try {
    return { batch: decode() };
  } catch (error) {
    if (error instanceof MalformedBodyError) return { fault: error.message };
    throw error;
  }
}
