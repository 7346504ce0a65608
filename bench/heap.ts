import { ROOT_CONTEXT } from '@opentelemetry/api';
import type { SpanProcessor } from '@opentelemetry/sdk-trace-base';
import { FanoutSpanProcessor } from 'spanplan';
import type { Benchmark, Turn } from './harness.ts';
import { NoOpStore } from './no-op-store.ts';
import { mixedAttributes, recordEvents, type SdkSpan, SPANS_PER_TRACE } from './spans.ts';

const SPANS = 40_000;
const CHILDREN = SPANS - SPANS / SPANS_PER_TRACE;

/** Bytes of heap for a span whose trace goes on, one in ten of them an agent's. */
export const heapBenchmarks: readonly Benchmark[] = [
  {
    name: 'heap',
    rival: 'the ReadableSpan kept',
    atLeast: 8,
    stretch: 15,
    rounds: 7,
    prepare: async () => ({
      async ours() {
        const processor = new FanoutSpanProcessor({
          store: new NoOpStore(),
          maxBufferedBytes: 1e9,
          clock: undefined,
        });
        const bytes = bytesHeld(processor, () => processor.account.buffered === CHILDREN);
        await processor.shutdown();
        return turn(bytes);
      },
      async rival() {
        const kept: unknown[] = [];
        return turn(
          bytesHeld(
            processorOf((span) => void kept.push(span)),
            () => kept.length === CHILDREN,
          ),
        );
      },
    }),
  },
];

/** Without the roots, which are open, and so the application's. */
function turn(bytes: number): Turn {
  const bytesOfRoots = bytesHeld(
    processorOf(() => {}),
    () => true,
  );
  return { did: CHILDREN, cost: (bytes - bytesOfRoots) / CHILDREN };
}

/** Bytes that are still there after children have ended and their roots have not. */
function bytesHeld(processor: SpanProcessor, isDone: () => boolean): number {
  const before = usedBytes();
  const roots = handChildren(processor);
  if (!isDone()) throw new Error('not all spans were taken in');
  const bytes = usedBytes() - before;
  // Read only now, so that the roots are alive until then.
  return roots.length > 0 ? bytes : 0;
}

function handChildren(processor: SpanProcessor): readonly SdkSpan[] {
  const roots: SdkSpan[] = [];
  for (const { span, isEnd } of recordEvents(SPANS, mixedAttributes)) {
    const isRoot = span.parentSpanContext === undefined;
    if (isRoot && !isEnd) roots.push(span);
    if (!isEnd) processor.onStart(span, ROOT_CONTEXT);
    else if (!isRoot) processor.onEnd(span);
  }
  return roots;
}

function processorOf(onEnd: SpanProcessor['onEnd']): SpanProcessor {
  return { onStart: () => {}, onEnd, forceFlush: async () => {}, shutdown: async () => {} };
}

function usedBytes(): number {
  for (let time = 0; time < 4; time++) globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
