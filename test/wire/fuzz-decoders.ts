import { MalformedBodyError } from '../../src/source/malformed-body-error.ts';
import type { DecodedBatch } from '../../src/source/otlp-batch.ts';
import { decodeOtlpJson } from '../../src/source/otlp-json.ts';
import { decodeOtlpProtobuf } from '../../src/source/otlp-protobuf.ts';
import { JSON_SEEDS, mutated, PROTOBUF_SEEDS, Random } from './mutations.ts';

export interface FuzzReport {
  /** Bodies that were decoded, at least in part. */
  decoded: number;
  /** Bodies that were refused as they should be. */
  malformed: number;
  /** Of any body, in milliseconds. */
  slowest: number;
}

const DECODERS: readonly [Decoder, Decoder] = [
  { name: 'JSON', seeds: JSON_SEEDS, decode: (body) => decodeOtlpJson(body.toString(), () => true) },
  { name: 'protobuf', seeds: PROTOBUF_SEEDS, decode: (body) => decodeOtlpProtobuf(body, () => true) },
];

interface Decoder {
  readonly name: string;
  readonly seeds: readonly [Buffer, ...Buffer[]];
  decode(body: Buffer): DecodedBatch;
}

/**
 * Gives so many random and mutated bodies to both decoders.
 * @throws Error that names the body where a decoder does anything else than decode it or refuse it.
 */
export function fuzzDecoders(bodies: number, seed: number): FuzzReport {
  const random = new Random(seed);
  const report: FuzzReport = { decoded: 0, malformed: 0, slowest: 0 };
  for (let done = 0; done < bodies; done++) {
    const { name, seeds, decode } = random.of(DECODERS);
    const body = mutated(seeds, random);
    const start = performance.now();
    try {
      check(decode(body));
      report.decoded++;
    } catch (error) {
      if (!(error instanceof MalformedBodyError)) {
        throw new Error(`the ${name} decoder failed on ${body.toString('base64')}`, { cause: error });
      }
      report.malformed++;
    }
    report.slowest = Math.max(report.slowest, performance.now() - start);
  }
  return report;
}

/** What the rest of the pipeline relies on. */
function check({ spans, rejected, message }: DecodedBatch): void {
  if (rejected > 0 !== (message !== undefined)) throw new Error('message and count do not agree');
  for (const { traceId, spanId, attributes, start } of spans) {
    if (!/^[0-9a-f]{32}$/.test(traceId) || !/^[0-9a-f]{16}$/.test(spanId))
      throw new Error('a bad id got through');
    if (!Number.isSafeInteger(start[0]) || start[1] > 999_999_999) throw new Error('a bad time got through');
    if (Object.getPrototypeOf(attributes) !== null) throw new Error('a prototype was changed');
  }
  if (Object.keys(Object.prototype).length > 0) throw new Error('Object.prototype was changed');
}
