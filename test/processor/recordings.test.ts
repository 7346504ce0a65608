import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FanoutSpanProcessor } from '../../src/fanout-span-processor.ts';
import type { ExecutionPlan } from '../../src/model/execution-plan.ts';
import { Pipeline } from '../../src/pipeline.ts';
import { decodeOtlpJson } from '../../src/source/otlp/otlp-json.ts';
import { MemoryPlanStore } from '../../src/store/memory-plan-store.ts';
import { CAPTURE_NAMES, expectedOf, requestsOf } from '../support/captures.ts';
import { maximalGroups, plansOf, sortedGroups } from '../support/maximal-groups.ts';
import { inOrderOfTime, type ReplayedSpan, replayedSpans, type SpanShape } from '../support/replay.ts';

// Every recording of a real framework, played into the processor as the SDK of that process would have called it.

type Play = (spans: readonly ReplayedSpan[], processor: FanoutSpanProcessor) => void;
type Plans = Readonly<Record<string, ExecutionPlan>>;

async function learn(capture: string, shape: SpanShape, play: Play): Promise<Plans> {
  const store = new MemoryPlanStore();
  const processor = new FanoutSpanProcessor({ store });
  play(replayedSpans(capture, shape), processor);
  await processor.shutdown();
  expect(processor.account).toMatchObject({ buffered: 0, awaiting: 0, dropped: {} });
  return plansOf(store);
}

async function overTheWire(capture: string): Promise<Plans> {
  const store = new MemoryPlanStore();
  const pipeline = new Pipeline(store, { clock: undefined });
  for (const request of requestsOf(capture)) {
    pipeline.consume(decodeOtlpJson(request, (key) => pipeline.attributes.wants(key)).spans);
  }
  await pipeline.shutdown(1_000);
  return plansOf(store);
}

function expectedGroups(capture: string): readonly (readonly string[])[] {
  const { maximal_groups, caller_groups } = expectedOf(capture);
  return sortedGroups([...maximal_groups, ...caller_groups]);
}

/** One that cannot tell all may find less, and still nothing false. */
function expectGroups(capture: string, plans: Plans): void {
  const groups = maximalGroups(plans);
  if (expectedOf(capture).unattainable === undefined) expect(groups).toEqual(expectedGroups(capture));
  else expect(expectedGroups(capture)).toEqual(expect.arrayContaining([...groups]));
}

describe.each(CAPTURE_NAMES)('the recording %s', (capture) => {
  it.each(['1.x', '2.x'] as const)('gives its groups, from spans shaped as in %s', async (shape) => {
    expectGroups(capture, await learn(capture, shape, inOrderOfTime));
  });

  it('gives the same plans as over the wire', async () => {
    expect(await learn(capture, '2.x', inOrderOfTime)).toEqual(await overTheWire(capture));
  });

  it('gives the same plans whatever order its spans end in, and when no start was seen', async () => {
    const plans = await learn(capture, '2.x', inOrderOfTime);
    const count = replayedSpans(capture, '2.x').length;
    await fc.assert(
      fc.asyncProperty(shuffleOf(count), fc.boolean(), async (order, startsSeen) => {
        const again = await learn(capture, '2.x', (spans, processor) => {
          if (startsSeen) for (const span of spans) span.begin(processor);
          for (const index of order) spans[index]?.finish(processor);
        });
        expect(again).toEqual(plans);
      }),
      { numRuns: 6 },
    );
  });

  it('gives the same plans when a host flushes in the middle', async () => {
    const plans = await learn(capture, '2.x', inOrderOfTime);
    const store = new MemoryPlanStore();
    const processor = new FanoutSpanProcessor({ store });
    for (const span of replayedSpans(capture, '2.x')) {
      span.finish(processor);
      await processor.forceFlush();
    }
    await processor.shutdown();
    expect(await plansOf(store)).toEqual(plans);
  });
});

function shuffleOf(count: number): fc.Arbitrary<readonly number[]> {
  const indexes = Array.from({ length: count }, (_, index) => index);
  return fc.shuffledSubarray(indexes, { minLength: count, maxLength: count });
}
