import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Span } from '../../src/model/span.ts';
import { Pipeline } from '../../src/pipeline.ts';
import type { PipelineOptions } from '../../src/pipeline-options.ts';
import { learnedOf, roomyStore } from '../support/learned.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { randomTraces } from '../support/random-traces.ts';
import { spanOf, testConvention } from '../support/spans.ts';

/** What may happen between two spans. None of it may make a difference in the end. */
const BREAKS = ['nothing', 'nothing', 'flush', 'turn', 100, 2_000, 10_000, 300_000] as const;
type Break = (typeof BREAKS)[number];

interface Delivery {
  readonly order: readonly number[];
  readonly again: readonly number[];
  readonly breaks: readonly Break[];
}

const delivery: fc.Arbitrary<Delivery> = fc.record({
  order: fc.array(fc.nat(), { minLength: 22, maxLength: 22 }),
  again: fc.array(fc.nat(), { maxLength: 8 }),
  breaks: fc.array(fc.constantFrom(...BREAKS), { minLength: 4, maxLength: 40 }),
});

const options: fc.Arbitrary<PipelineOptions> = fc.record({
  run: fc.constantFrom('agent', 'agent', 'trace'),
  cohorts: fc.constantFrom('every', 'maximal'),
});

it('learns the same from any order, duplication and split, over the wire', async () => {
  await fc.assert(
    fc.asyncProperty(randomTraces, delivery, options, async (specs, how, given) => {
      const spans = specs.map(spanOf);
      const atOnce = await learn(spans, { order: [], again: [], breaks: [] }, given);
      expect(await learn(spans, how, given)).toEqual(atOnce);
    }),
    { numRuns: 500 },
  );
});

it('learns the same from any order of starts and ends, in process', async () => {
  await fc.assert(
    fc.asyncProperty(randomTraces, delivery, options, async (specs, how, given) => {
      const spans = specs.map((spec) => spanOf({ ...spec, to: spec.to ?? 50 }));
      const inOrder = await live(spans, { order: [], again: [], breaks: [] }, given);
      expect(await live(spans, how, given)).toEqual(inOrder);
    }),
    { numRuns: 500 },
  );
});

async function learn(spans: readonly Span[], how: Delivery, given: PipelineOptions): Promise<unknown> {
  const { pipeline, clock, store } = pipelineOf(given, 'wire');
  // A span that is sent again may also have been sent while it was open.
  const again = how.again.flatMap((pick) => {
    const span = spans[pick % spans.length];
    return span === undefined ? [] : [pick % 2 === 0 ? span : { ...span, end: undefined }];
  });
  const queue = shuffled([...spans, ...again], how.order);
  for (const [index, span] of queue.entries()) {
    pipeline.consume([span]);
    await pause(pipeline, clock, how.breaks[index % how.breaks.length]);
  }
  return finish(pipeline, clock, store);
}

async function live(spans: readonly Span[], how: Delivery, given: PipelineOptions): Promise<unknown> {
  const { pipeline, clock, store } = pipelineOf(given, 'process');
  const events = shuffled([...spans, ...spans], how.order);
  const started = new Set<Span>();
  for (const [index, span] of events.entries()) {
    if (started.has(span)) pipeline.add(span);
    else {
      const { traceId, spanId } = span;
      const open = { ...span, end: undefined };
      pipeline.start(traceId, spanId, open);
      started.add(span);
    }
    await pause(pipeline, clock, how.breaks[index % how.breaks.length]);
  }
  return finish(pipeline, clock, store);
}

function pipelineOf(given: PipelineOptions, mode: 'wire' | 'process') {
  const clock = new ManualClock();
  const store = roomyStore();
  const pipeline = new Pipeline(store, { ...given, clock, conventions: [testConvention] }, mode, {
    readOpen: (span) => span as Span,
  });
  return { pipeline, clock, store };
}

async function pause(pipeline: Pipeline, clock: ManualClock, kind: Break | undefined): Promise<void> {
  if (kind === 'flush') await pipeline.flush(1_000);
  else if (kind === 'turn') await new Promise((resolve) => setImmediate(resolve));
  else if (typeof kind === 'number') {
    clock.advance(kind);
    pipeline.tick();
  }
}

async function finish(pipeline: Pipeline, clock: ManualClock, store: ReturnType<typeof roomyStore>) {
  clock.advance(300_000);
  pipeline.tick();
  await pipeline.flush(1_000);
  const learned = await learnedOf(store);
  await pipeline.shutdown(1_000);
  return learned;
}

function shuffled<T>(items: readonly T[], keys: readonly number[]): readonly T[] {
  return items
    .map((item, index) => ({ item, key: keys[index % keys.length] ?? 0 }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
