import { BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { FanoutSpanProcessor } from 'spanplan';
import type { Benchmark } from './harness.ts';
import { NoOpStore } from './no-op-store.ts';
import { hand, mixedAttributes, recordEvents } from './spans.ts';

const SPANS = 100_000;

/** Spans dropped (and one, since ours drops none) of those that end within one turn of the event loop. */
export const burstBenchmarks: readonly Benchmark[] = [
  {
    name: 'burst',
    rival: 'BatchSpanProcessor 2.12, which drops all past 2,048',
    atLeast: 97_000,
    rounds: 3,
    async prepare() {
      const events = recordEvents(SPANS, mixedAttributes);
      return {
        async ours() {
          const processor = new FanoutSpanProcessor({ store: new NoOpStore() });
          hand(processor, events, 0, events.length);
          await processor.shutdown();
          const { learned, ignored, received } = processor.account;
          return { did: received, cost: received - learned - ignored + 1 };
        },
        async rival() {
          let exported = 0;
          const processor = new BatchSpanProcessor({
            export(batch, done) {
              exported += batch.length;
              done({ code: 0 });
            },
            shutdown: async () => {},
          });
          hand(processor, events, 0, events.length);
          await processor.shutdown();
          return { did: SPANS, cost: SPANS - exported + 1 };
        },
      };
    },
  },
];
