import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  type ReadableSpan,
  type Span,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-base';

/** Spans of an SDK as benchmarks hand them to processors. */
export type SdkSpan = ReadableSpan & Span;

/** The start or the end of a span. All spans have ended before any of it is handed over. */
export interface SpanEvent {
  readonly span: SdkSpan;
  readonly isEnd: boolean;
}

export type AttributesOf = (index: number) => Readonly<Record<string, string>>;

export const SPANS_PER_TRACE = 20;

const SHAPES = 60;
const EPOCH_MILLIS = 1_795_352_400_000;

/** Of spans of a web service, in sixty shapes. */
export function otherAttributes(index: number): Readonly<Record<string, string>> {
  const attributes: Record<string, string> = {};
  for (let key = 0; key < 8; key++) attributes[`http.shape${index % SHAPES}.field${key}`] = `value ${key}`;
  return attributes;
}

/**
 * Of an agent and its tool calls by the GenAI conventions, with arguments and results of 1 KB.
 * @param contentOf makes these. By default each is a string of its own, as what comes from a model is.
 */
export function callAttributes(index: number, contentOf = kilobyte): Readonly<Record<string, string>> {
  if (index % SPANS_PER_TRACE === 0) {
    return { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'a' };
  }
  return {
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': `tool_${index % 7}`,
    'gen_ai.tool.call.id': `call_${index}`,
    'gen_ai.tool.call.arguments': contentOf(index),
    'gen_ai.tool.call.result': contentOf(index + 1),
  };
}

/** One span in ten is an agent's. */
export function mixedAttributes(index: number): Readonly<Record<string, string>> {
  return index % 10 === 1 ? callAttributes(index) : otherAttributes(index);
}

export function kilobyte(seed: number): string {
  return Buffer.alloc(1_024, `${seed} `).toString('latin1');
}

/** Traces of a root and what it does one after another, 20 ms each, as an SDK tells of them. */
export function recordEvents(count: number, attributesOf: AttributesOf): SpanEvent[] {
  const events: SpanEvent[] = [];
  const note = (span: Span | ReadableSpan, isEnd: boolean) =>
    void events.push({ span: span as SdkSpan, isEnd });
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
  for (let index = 0; index < count; index += SPANS_PER_TRACE) {
    const begin = EPOCH_MILLIS + index;
    const root = tracer.startSpan('root', {
      root: true,
      attributes: attributesOf(index),
      startTime: begin,
    });
    const inside = trace.setSpan(ROOT_CONTEXT, root);
    for (let child = 1; child < SPANS_PER_TRACE; child++) {
      const startTime = begin + child * 20;
      const attributes = attributesOf(index + child);
      tracer.startSpan(nameOf(attributes), { attributes, startTime }, inside).end(startTime + 15.25);
    }
    root.end(begin + SPANS_PER_TRACE * 20);
  }
  // A root that is kept must not keep the others through the processor that saw them.
  return events.splice(0);
}

/** As the conventions of GenAI and of HTTP have it; made anew for each span. */
function nameOf(attributes: Readonly<Record<string, string>>): string {
  const tool = attributes['gen_ai.tool.name'];
  if (tool !== undefined) return `execute_tool ${tool}`;
  const [first = ''] = Object.keys(attributes);
  return `GET /${first.split('.')[1]}`;
}

/** Hands over the events of `events` from one index to another. */
export function hand(
  processor: SpanProcessor,
  events: readonly SpanEvent[],
  from: number,
  until: number,
): void {
  for (let at = from; at < until; at++) {
    const event = events[at];
    if (event === undefined) return;
    if (event.isEnd) processor.onEnd(event.span);
    else processor.onStart(event.span, ROOT_CONTEXT);
  }
}
