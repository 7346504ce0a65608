import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  type ReadableSpan,
  type Span,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { FanoutSpanProcessor } from '../src/fanout-span-processor.ts';
import type { Benchmark, Turn } from './harness.ts';
import { NoOpStore } from './no-op-store.ts';

const RIVAL = 'BatchSpanProcessor 2.12 with a no-op exporter';

/** What a span costs its host, beside the SDK's own BatchSpanProcessor with an exporter that does nothing. */
export const onEndBenchmarks: readonly Benchmark[] = [
  {
    name: 'on-end-other',
    rival: RIVAL,
    atLeast: 0.2,
    stretch: 0.35,
    rounds: 41,
    prepare: async () => sides(otherAttributes, throughout),
  },
  {
    name: 'on-end-call',
    rival: RIVAL,
    atLeast: 0.12,
    stretch: 0.2,
    rounds: 41,
    prepare: async () => sides(callAttributes, throughout),
  },
  {
    name: 'on-end-sync',
    rival: RIVAL,
    atLeast: 0.35,
    stretch: 0.7,
    rounds: 41,
    prepare: async () => sides(callAttributes, synchronousPart),
  },
];

const SPANS_PER_TRACE = 20;
/** So many spans end within one turn of the event loop, which is what BatchSpanProcessor holds. */
const SPANS_PER_TURN = 2_000;
const TURNS = 10;
const SHAPES = 60;

type Attributes = Readonly<Record<string, string>>;
/** The start or the end of a span. All spans have ended before any of it is handed over. */
interface SpanEvent {
  readonly span: ReadableSpan & Span;
  readonly isEnd: boolean;
}
/** Hands the spans over, and tells the microseconds of CPU time that this took. */
type Handing = (processor: SpanProcessor, events: readonly SpanEvent[]) => Promise<number>;

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

function hand(processor: SpanProcessor, events: readonly SpanEvent[], from: number, until: number): void {
  for (let at = from; at < until; at++) {
    const event = events[at];
    if (event === undefined) return;
    if (event.isEnd) processor.onEnd(event.span);
    else processor.onStart(event.span, ROOT_CONTEXT);
  }
}

/** Both processors live as long as a host does; every turn brings new traces. */
function sides(attributesOf: (index: number) => Attributes, handing: Handing) {
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
      const events = recordedEvents(attributesOf);
      globalThis.gc?.();
      const before = ours.account;
      const cost = await handing(ours, events);
      const { received, learned, ignored } = ours.account;
      if (learned + ignored !== received) throw new Error('a span did not come to its end');
      return { did: received - before.received, cost };
    },
    async rival(): Promise<Turn> {
      const events = recordedEvents(attributesOf);
      globalThis.gc?.();
      const before = exported;
      const cost = await handing(rival, events);
      return { did: exported - before, cost };
    },
    async close() {
      await Promise.all([ours.shutdown(), rival.shutdown()]);
    },
  };
}

/** Traces of an agent and what it does one after another, as an SDK tells of them. */
function recordedEvents(attributesOf: (index: number) => Attributes): readonly SpanEvent[] {
  const events: SpanEvent[] = [];
  const note = (span: Span | ReadableSpan, isEnd: boolean) =>
    void events.push({ span: span as ReadableSpan & Span, isEnd });
  const provider = new BasicTracerProvider({
    spanProcessors: [
      {
        onStart: (span) => note(span, false),
        onEnd: (span) => note(span, true),
        forceFlush: async () => {},
        shutdown: async () => {},
      },
    ],
  });
  const tracer = provider.getTracer('bench');
  for (let index = 0; index < TURNS * SPANS_PER_TURN; index += SPANS_PER_TRACE) {
    const root = tracer.startSpan('root', { root: true, attributes: attributesOf(index) });
    const inside = trace.setSpan(ROOT_CONTEXT, root);
    for (let child = 1; child < SPANS_PER_TRACE; child++) {
      tracer.startSpan(`span ${child}`, { attributes: attributesOf(index + child) }, inside).end();
    }
    root.end();
  }
  return events;
}
