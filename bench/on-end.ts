import { BatchSpanProcessor, type SpanProcessor } from '@opentelemetry/sdk-trace-base';
import { FanoutSpanProcessor } from 'spanplan';
import type { Benchmark, Turn } from './harness.ts';
import { NoOpStore } from './no-op-store.ts';
import {
  type AttributesOf,
  callAttributes,
  hand,
  kilobyte,
  otherAttributes,
  recordEvents,
  SPANS_PER_TRACE,
  type SpanEvent,
} from './spans.ts';

const RIVAL = 'BatchSpanProcessor 2.12 with a no-op exporter';

const STEADY = {
  rounds: 21,
  // Until the buffer is as full of finished traces as it stays, which is some 25,000.
  warmUps: 30,
  isSteady: true,
};

/** What a span costs its host, beside the SDK's own BatchSpanProcessor with an exporter that does nothing. */
export const onEndBenchmarks: readonly Benchmark[] = [
  {
    name: 'on-end-other',
    rival: RIVAL,
    atLeast: 0.2,
    stretch: 0.35,
    ...STEADY,
    prepare: async () => sides(otherAttributes, throughout),
  },
  {
    name: 'on-end-call',
    rival: RIVAL,
    atLeast: 0.12,
    stretch: 0.2,
    ...STEADY,
    prepare: async () => sides(lightCallAttributes, throughout),
  },
  {
    name: 'on-end-sync',
    rival: RIVAL,
    atLeast: 0.35,
    stretch: 0.7,
    ...STEADY,
    prepare: async () => sides(lightCallAttributes, synchronousPart),
  },
];

/** Neither side looks into the contents; made once, they are not garbage that would be collected while one is measured. */
const lightCallAttributes: AttributesOf = (index) =>
  callAttributes(index, (seed) => CONTENTS[seed % 100] ?? '');
const CONTENTS = Array.from({ length: 100 }, (_, seed) => kilobyte(seed));

/** So many spans end within one turn of the event loop, which is what BatchSpanProcessor holds. */
const SPANS_PER_LOOP = 2_000;
const LOOPS = 10;

/** Hands the spans over, and tells the microseconds of CPU time that this took. */
type Handing = (processor: SpanProcessor, events: readonly SpanEvent[]) => Promise<number>;

/** All that follows from the spans, whenever it is done. */
async function throughout(processor: SpanProcessor, events: readonly SpanEvent[]): Promise<number> {
  const before = process.cpuUsage();
  hand(processor, events, 0, events.length);
  await processor.forceFlush();
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

/** Both processors live as long as a host does, which always has spans; every turn brings new traces. */
function sides(attributesOf: AttributesOf, handing: Handing) {
  const alive = recordEvents(SPANS_PER_LOOP, attributesOf);
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
    { maxQueueSize: SPANS_PER_LOOP },
  );
  async function handAll(processor: SpanProcessor): Promise<number> {
    let cost = 0;
    for (let loop = 0; loop < LOOPS; loop++) {
      const events = recordEvents(SPANS_PER_LOOP, attributesOf);
      await settle();
      cost += await handing(processor, events);
    }
    return cost;
  }
  return {
    async ours(): Promise<Turn> {
      const before = ours.account;
      const cost = await handAll(ours);
      const { received, learned, ignored } = ours.account;
      if (learned + ignored !== received) throw new Error('a span did not come to its end');
      return { did: received - before.received, cost };
    },
    async rival(): Promise<Turn> {
      const before = exported;
      const cost = await handAll(rival);
      return { did: exported - before, cost };
    },
    async close() {
      await Promise.all([ours.shutdown(), rival.shutdown()]);
      alive.splice(0);
    },
  };
}

/** To record spans makes garbage, which is collected before they are handed over. */
async function settle(): Promise<void> {
  globalThis.gc?.({ type: 'minor' });
  await new Promise((resolve) => setTimeout(resolve, 5));
}
