import { BatchSpanProcessor, type SpanProcessor } from '@opentelemetry/sdk-trace-base';
import { FanoutSpanProcessor } from '../src/fanout-span-processor.ts';
import type { Benchmark, Turn } from './harness.ts';
import { NoOpStore } from './no-op-store.ts';
import {
  type AttributesOf,
  callAttributes,
  hand,
  otherAttributes,
  recordEvents,
  SPANS_PER_TRACE,
  type SpanEvent,
} from './spans.ts';

const RIVAL = 'BatchSpanProcessor 2.12 with a no-op exporter';

/** What a span costs its host, beside the SDK's own BatchSpanProcessor with an exporter that does nothing. */
export const onEndBenchmarks: readonly Benchmark[] = [
  {
    name: 'on-end-other',
    rival: RIVAL,
    atLeast: 0.2,
    stretch: 0.35,
    rounds: 41,
    // Until the buffer is as full of finished traces as it stays.
    warmUps: 30,
    prepare: async () => sides(otherAttributes, throughout),
  },
  {
    name: 'on-end-call',
    rival: RIVAL,
    atLeast: 0.12,
    stretch: 0.2,
    rounds: 41,
    // Until the buffer is as full of finished traces as it stays.
    warmUps: 30,
    prepare: async () => sides(callAttributes, throughout),
  },
  {
    name: 'on-end-sync',
    rival: RIVAL,
    atLeast: 0.35,
    stretch: 0.7,
    rounds: 41,
    // Until the buffer is as full of finished traces as it stays.
    warmUps: 30,
    prepare: async () => sides(callAttributes, synchronousPart),
  },
];

/** So many spans end within one turn of the event loop, which is what BatchSpanProcessor holds. */
const SPANS_PER_TURN = 2_000;
const TURNS = 10;

/** Hands the spans over, and tells the microseconds of CPU time that this took. */
type Handing = (processor: SpanProcessor, events: readonly SpanEvent[]) => Promise<number>;

/** All that follows from the spans, whenever it is done. */
async function throughout(processor: SpanProcessor, events: readonly SpanEvent[]): Promise<number> {
  const before = process.cpuUsage();
  for (let from = 0; from < events.length; from += 2 * SPANS_PER_TURN) {
    hand(processor, events, from, from + 2 * SPANS_PER_TURN);
    await processor.forceFlush();
  }
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** What the application waits for. */
async function synchronousPart(processor: SpanProcessor, events: readonly SpanEvent[]): Promise<number> {
  let millis = 0;
  // Few at a time, as an application ends them.
  for (let from = 0; from < events.length; from += 2 * SPANS_PER_TRACE) {
    const before = performance.now();
    hand(processor, events, from, from + 2 * SPANS_PER_TRACE);
    millis += performance.now() - before;
    await new Promise((resolve) => setImmediate(resolve));
  }
  await processor.forceFlush();
  return millis * 1_000;
}

/** Both processors live as long as a host does; every turn brings new traces. */
function sides(attributesOf: AttributesOf, handing: Handing) {
  const ours = new FanoutSpanProcessor({ store: new NoOpStore() });
  let exported = 0;
  const rival = new BatchSpanProcessor(
    {
      export(batch, done) {
        exported += batch.length;
        done({ code: 0 });
      },
      shutdown: async () => {},
    },
    { maxQueueSize: SPANS_PER_TURN },
  );
  return {
    async ours(): Promise<Turn> {
      const events = recordEvents(TURNS * SPANS_PER_TURN, attributesOf);
      await collectGarbage();
      const before = ours.account;
      const cost = await handing(ours, events);
      const { received, learned, ignored } = ours.account;
      if (learned + ignored !== received) throw new Error('a span did not come to its end');
      return { did: received - before.received, cost };
    },
    async rival(): Promise<Turn> {
      const events = recordEvents(TURNS * SPANS_PER_TURN, attributesOf);
      await collectGarbage();
      const before = exported;
      const cost = await handing(rival, events);
      return { did: exported - before, cost };
    },
    async close() {
      await Promise.all([ours.shutdown(), rival.shutdown()]);
    },
  };
}

/** What the spans left behind is collected before, also by the collector's own threads. */
async function collectGarbage(): Promise<void> {
  globalThis.gc?.();
  await new Promise((resolve) => setTimeout(resolve, 30));
}
