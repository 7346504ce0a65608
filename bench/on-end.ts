import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  type ReadableSpan,
  type Span,
  type SpanExporter,
} from '@opentelemetry/sdk-trace-base';
import { FanoutSpanProcessor } from '../src/fanout-span-processor.ts';
import { MemoryPlanStore } from '../src/store/memory-plan-store.ts';
import type { Benchmark } from './harness.ts';

const RIVAL = 'BatchSpanProcessor 2.12 with a no-op exporter';

/** What a span costs its host, beside the SDK's own BatchSpanProcessor with an exporter that does nothing. */
export const onEndBenchmarks: readonly Benchmark[] = [
  { name: 'on-end-other', rival: RIVAL, atLeast: 0.2, prepare: () => sidesFor(otherAttributes) },
  { name: 'on-end-call', rival: RIVAL, atLeast: 0.12, prepare: () => sidesFor(callAttributes) },
];

const TRACES = 1_000;
const SPANS_PER_TRACE = 20;
const SHAPES = 60;

type Attributes = Readonly<Record<string, string>>;

/** Spans of a web service, in sixty shapes. */
function otherAttributes(index: number): Attributes {
  const attributes: Record<string, string> = {};
  for (let key = 0; key < 8; key++) attributes[`http.shape${index % SHAPES}.field${key}`] = `value ${key}`;
  return attributes;
}

/** An agent and its tool calls by the GenAI conventions, with arguments and results of 1 KB. */
function callAttributes(index: number): Attributes {
  if (index % SPANS_PER_TRACE === 0)
    return { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'a' };
  return {
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': `tool_${index % 7}`,
    'gen_ai.tool.call.id': `call_${index}`,
    'gen_ai.tool.call.arguments': 'x'.repeat(1_024),
    'gen_ai.tool.call.result': 'y'.repeat(1_024),
  };
}

async function sidesFor(attributesOf: (index: number) => Attributes) {
  const spans = recordedSpans(attributesOf);
  return {
    async ours() {
      const processor = new FanoutSpanProcessor({ store: new MemoryPlanStore() });
      for (const span of spans) {
        processor.onStart(span, ROOT_CONTEXT);
        processor.onEnd(span);
      }
      await processor.forceFlush();
      const { received } = processor.account;
      await processor.shutdown();
      return { did: received };
    },
    async rival() {
      let exported = 0;
      const exporter: SpanExporter = {
        export(batch, done) {
          exported += batch.length;
          done({ code: 0 });
        },
        shutdown: async () => {},
      };
      const processor = new BatchSpanProcessor(exporter, { maxQueueSize: spans.length });
      for (const span of spans) {
        processor.onStart(span, ROOT_CONTEXT);
        processor.onEnd(span);
      }
      await processor.forceFlush();
      await processor.shutdown();
      return { did: exported };
    },
  };
}

/** Ended spans, children before their root, as an SDK hands them over. */
function recordedSpans(attributesOf: (index: number) => Attributes): readonly (ReadableSpan & Span)[] {
  const spans: (ReadableSpan & Span)[] = [];
  const provider = new BasicTracerProvider({
    spanProcessors: [
      {
        onStart: () => {},
        onEnd: (span) => spans.push(span as ReadableSpan & Span),
        forceFlush: async () => {},
        shutdown: async () => {},
      },
    ],
  });
  const tracer = provider.getTracer('bench');
  for (let index = 0; index < TRACES * SPANS_PER_TRACE; index += SPANS_PER_TRACE) {
    const root = tracer.startSpan('root', { root: true, attributes: attributesOf(index) });
    const inside = trace.setSpan(ROOT_CONTEXT, root);
    for (let child = 1; child < SPANS_PER_TRACE; child++) {
      tracer.startSpan(`span ${child}`, { attributes: attributesOf(index + child) }, inside).end();
    }
    root.end();
  }
  return spans;
}
