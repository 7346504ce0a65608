import type { Context, Tracer } from '@opentelemetry/api';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { BasicTracerProvider as Provider1 } from 'sdk1';
import { BasicTracerProvider as Provider20 } from 'sdk20';
import type { FanoutSpanProcessor } from '../../src/fanout-span-processor.ts';

/** What the scenarios need of a tracer provider, whatever its line. */
interface TestProvider {
  getTracer(name: string): Tracer;
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}

/** What a test's sampler decides, in the numbers that all lines share. */
export const DECISION = { drop: 0, record: 1, recordAndSample: 2 } as const;

type Decide = (parent: Context, spanName: string) => (typeof DECISION)[keyof typeof DECISION];

export interface SdkLine {
  readonly line: string;
  /** A provider as an application makes it, with the processor registered. */
  provide(processor: FanoutSpanProcessor, decide?: Decide): TestProvider;
}

const always: Decide = () => DECISION.recordAndSample;

/** The newest line of this tree, for tests that one line is enough for. */
export const LATEST: SdkLine = {
  line: '2.12',
  provide: (processor, decide = always) =>
    new NodeTracerProvider({ spanProcessors: [processor], sampler: samplerOf(decide) }),
};

/** The SDK lines that stand in this tree; 3.x has a tree of its own in test/sdk3. */
export const SDK_LINES: readonly SdkLine[] = [
  {
    line: '1.30',
    provide: (processor, decide = always) =>
      new Provider1({ spanProcessors: [processor], sampler: samplerOf(decide) }),
  },
  {
    line: '2.0',
    provide: (processor, decide = always) =>
      new Provider20({ spanProcessors: [processor], sampler: samplerOf(decide) }),
  },
  LATEST,
];

function samplerOf(decide: Decide) {
  return {
    shouldSample: (parent: Context, _traceId: string, name: string) => ({ decision: decide(parent, name) }),
    toString: () => 'TestSampler',
  };
}
