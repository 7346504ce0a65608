import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Span } from '../../src/model/span.ts';
import { Pipeline } from '../../src/pipeline.ts';
import { decodeOtlpJson } from '../../src/source/otlp/otlp-json.ts';
import { CAPTURE_NAMES, requestsOf } from '../support/captures.ts';
import { learnedOf, roomyStore } from '../support/learned.ts';
import { ManualClock } from '../support/manual-clock.ts';

describe.each(CAPTURE_NAMES)('%s', (capture) => {
  it('teaches the same in any order, with duplicates, however it is split', async () => {
    const spans = decoded(capture);
    const atOnce = await learn([spans]);
    const batches = fc
      .tuple(fc.shuffledSubarray([...spans], { minLength: spans.length }), fc.subarray([...spans]), fc.nat(9))
      .map(([shuffled, again, size]) => split([...shuffled, ...again], size + 1));
    await fc.assert(
      fc.asyncProperty(batches, async (how) => {
        expect(await learn(how)).toEqual(atOnce);
      }),
      { numRuns: 4 },
    );
    expect(await learn([...spans].reverse().map((span) => [span]))).toEqual(atOnce);
  });
});

function decoded(capture: string): readonly Span[] {
  const { attributes } = new Pipeline(roomyStore(), { clock: undefined });
  return requestsOf(capture).flatMap(
    (request) => decodeOtlpJson(JSON.stringify(request), (key) => attributes.wants(key)).spans,
  );
}

/** Every trace is released between any two batches, in one of the ways there are. */
async function learn(batches: readonly (readonly Span[])[]): Promise<unknown> {
  const clock = new ManualClock();
  const store = roomyStore();
  const pipeline = new Pipeline(store, { clock });
  for (const [index, spans] of batches.entries()) {
    pipeline.consume(spans);
    clock.advance([2_000, 300_000, 0][index % 3] ?? 0);
    pipeline.tick();
    if (index % 3 === 2) await pipeline.flush(1_000);
  }
  clock.advance(300_000);
  pipeline.tick();
  await pipeline.flush(1_000);
  return learnedOf(store);
}

function split<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
