import { createRecogniser } from '../../src/conventions/recognise.ts';
import type { DecodedBatch } from '../../src/source/otlp/otlp-batch.ts';
import { type Decoders, decodeByAll, JSON_DECODERS, PROTOBUF_DECODERS } from '../support/decoders.ts';
import { JSON_SEEDS, mutated, PROTOBUF_SEEDS, Random } from './mutations.ts';

export interface FuzzReport {
  /** Bodies that were decoded, at least in part. */
  decoded: number;
  /** Bodies that were refused as they should be. */
  malformed: number;
  /** Of any body, in milliseconds of processor time: others may want the processor too. */
  slowest: number;
}

const SUBJECTS: readonly [Subject, Subject] = [
  { decoders: JSON_DECODERS, seeds: JSON_SEEDS },
  { decoders: PROTOBUF_DECODERS, seeds: PROTOBUF_SEEDS },
];

interface Subject {
  readonly decoders: Decoders;
  readonly seeds: readonly [Buffer, ...Buffer[]];
}

/**
 * Gives so many random and mutated bodies to the decoders of both encodings, and to the oracle of each.
 * @throws Error that shows the body where a decoder does anything else than decode it or refuse it, as the oracle does.
 */
export function fuzzDecoders(bodies: number, seed: number): FuzzReport {
  const random = new Random(seed);
  const report: FuzzReport = { decoded: 0, malformed: 0, slowest: 0 };
  for (let done = 0; done < bodies; done++) {
    const { decoders, seeds } = random.of(SUBJECTS);
    const body = mutated(seeds, random);
    const before = process.cpuUsage();
    const outcome = decodeByAll(decoders, body, WANTS[random.below(WANTS.length)] ?? isAny);
    const { user, system } = process.cpuUsage(before);
    report.slowest = Math.max(report.slowest, (user + system) / 1_000);
    if ('batch' in outcome) {
      check(outcome.batch);
      report.decoded++;
    } else report.malformed++;
  }
  return report;
}

const isAny = () => true;
const WANTS = [
  isAny,
  createRecogniser().attributes.wants,
  (key: string) => key.startsWith('gen_ai.'),
  () => false,
];

/** What the rest of the pipeline relies on. */
function check({ spans, rejected, message }: DecodedBatch): void {
  if (rejected > 0 !== (message !== undefined)) throw new Error('message and count do not agree');
  for (const { traceId, spanId, attributes, start } of spans) {
    if (!/^[0-9a-f]{32}$/.test(traceId) || !/^[0-9a-f]{16}$/.test(spanId))
      throw new Error('a bad id got through');
    if (!Number.isSafeInteger(start[0]) || start[1] > 999_999_999) throw new Error('a bad time got through');
    if ('toString' in attributes) throw new Error('attributes inherit');
  }
  if (Object.keys(Object.prototype).length > 0) throw new Error('Object.prototype was changed');
}
