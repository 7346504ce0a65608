import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { BasicTracerProvider, type Span as SdkSpan } from '@opentelemetry/sdk-trace-base';
import { createRecogniser } from '../../src/conventions/recognise.ts';
import { Recognition } from '../../src/conventions/verdict.ts';
import { plainSpan } from '../../src/model/numeric-span.ts';
import type { Span } from '../../src/model/span.ts';
import { decodeOtlpJson } from '../../src/source/otlp/otlp-json.ts';
import { MemoryTraceBuffer } from '../../src/trace/memory-trace-buffer.ts';
import { runIdOf } from '../../src/trace/run-id.ts';
import { spanRecordOf } from '../../src/trace/span-record.ts';
import {
  type ReleasedTrace,
  resolveTraceBufferOptions,
  type TraceBuffer,
} from '../../src/trace/trace-buffer.ts';
import { CAPTURE_NAMES, captureFile } from '../support/captures.ts';

/**
 * Run by span-size.test.ts with --expose-gc and the name of a filling, in a process of its own for each: what one
 * leaves behind would be counted as another's. Fills a buffer with spans as they come over the wire, and prints the heap
 * it took and what the buffer believes.
 */
interface Filling {
  readonly spans: number;
  readonly heap: number;
  readonly estimate: number;
}

type Fill = (buffer: TraceBuffer) => number;

const bodies = CAPTURE_NAMES.map((name) => readFileSync(captureFile(name), 'utf8'));
const recogniser = createRecogniser();
const recognition = new Recognition();
const ROOMY = resolveTraceBufferOptions({
  maxBufferedBytes: 1e12,
  maxBufferedTraces: 1e6,
  maxSpansPerTrace: 1e6,
});
/** About 8,000 spans. */
const ROUNDS = 9;
const ID = /"(traceId|spanId|parentSpanId)": ?"([0-9a-f]+)"/g;

/** The recorded spans under new ids, decoded anew, so that nothing is shared that would not be. */
function* spans(rounds: number): Iterable<Span> {
  for (let round = 0; round < rounds; round++) {
    const digits = round.toString(16).padStart(4, '0');
    for (const body of bodies) {
      const anew = body.replace(ID, (_, key: string, id: string) => `"${key}":"${id.slice(0, -4)}${digits}"`);
      const requests: unknown[] = JSON.parse(anew);
      for (const request of requests) {
        yield* decodeOtlpJson(JSON.stringify(request), (key) => recogniser.attributes.wants(key)).spans;
      }
    }
  }
}

/** The heap when it no longer shrinks. What was held until the end of a turn (a handle, a weak reference) is let go first. */
async function usedHeap(): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let unchanged = 0; unchanged < 3; ) {
    await setImmediate();
    global.gc?.();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    unchanged = heapUsed + arrayBuffers < least - 1_024 ? 0 : unchanged + 1;
    least = Math.min(least, heapUsed + arrayBuffers);
  }
  return least;
}

async function filled(fill: Fill, maxBufferedTraces: number): Promise<Filling> {
  const before = await usedHeap();
  const buffer = new MemoryTraceBuffer(
    { ...ROOMY, maxBufferedTraces },
    { released: makeRun, late() {}, duplicate() {}, snapshot: () => undefined },
  );
  const count = fill(buffer);
  const heap = (await usedHeap()) - before;
  return { spans: count, heap, estimate: buffer.stats.bytes };
}

/** What the pipeline notes in a released trace. */
function makeRun({ traceId, made }: ReleasedTrace): void {
  made.runs = [
    { runId: runIdOf(traceId, 'root', 1), agentId: 'planner', fingerprint: made.runs.length + 0.5 },
  ];
}

function addTo(buffer: TraceBuffer, span: Span, traceId = span.traceId): void {
  recogniser.recogniseInto(span, recognition);
  buffer.add(traceId, spanRecordOf(span, recognition, undefined), 0);
}

const traceIdOf = (n: number) => n.toString(16).padStart(32, 'f');

/** A copy that shares no text with the original. */
function renamed(span: Span, n: number): Span {
  return {
    ...plainSpan(span),
    spanId: n.toString(16).padStart(16, '0'),
    parentSpanId: n.toString(16).padStart(16, 'a'),
  };
}

const toolAttributes = (n: number) => ({
  'gen_ai.operation.name': 'execute_tool',
  'gen_ai.tool.name': `tool-${n}`,
  'gen_ai.tool.call.id': `call-${n}`,
});

const recorded: Fill = (buffer) => {
  let count = 0;
  for (const span of spans(ROUNDS)) {
    addTo(buffer, span);
    count++;
  }
  return count;
};

const single: Fill = (buffer) => {
  let count = 0;
  for (const span of spans(ROUNDS)) addTo(buffer, span, span.spanId + String(count++).padStart(16, '0'));
  return count;
};

const LET_GO = 'a buffer that let 60,000 traces go';
const FILLINGS: Record<string, Fill> = {
  'recorded traces': recorded,
  'traces released and kept': (buffer) => {
    const count = recorded(buffer);
    buffer.flush(0);
    return count;
  },
  'traces of one span': single,
  'traces of one span, released and kept': (buffer) => {
    const count = single(buffer);
    buffer.flush(0);
    return count;
  },
  // Whatever left the buffer must be gone from the heap as well, long before its dates come up.
  [LET_GO]: (buffer) => {
    const [span] = spans(1);
    for (let n = 0; span && n < 70_000; n++) addTo(buffer, renamed(span, n), traceIdOf(n));
    return 10_000;
  },
  'spans of an SDK that never end': (buffer) => {
    const onStart = (span: SdkSpan) =>
      buffer.start(span.spanContext().traceId, span.spanContext().spanId, span, 0);
    const processor = { onStart, onEnd() {}, forceFlush: async () => {}, shutdown: async () => {} };
    const tracer = new BasicTracerProvider({ spanProcessors: [processor] }).getTracer('app');
    let parent = ROOT_CONTEXT;
    for (let n = 0; n < 10_000; n++) {
      if (n % 10 === 0) parent = trace.setSpan(ROOT_CONTEXT, tracer.startSpan('agent'));
      else tracer.startSpan('execute_tool', { attributes: toolAttributes(n) }, parent);
    }
    return 10_000;
  },
  'one long trace': (buffer) => {
    let count = 0;
    for (const span of spans(ROUNDS)) {
      addTo(
        buffer,
        { ...plainSpan(span), spanId: span.spanId.slice(8) + String(count++).padStart(8, '0') },
        'a'.repeat(32),
      );
    }
    return count;
  },
};

const kind = process.argv[2] ?? '';
const fill = FILLINGS[kind];
if (fill === undefined) throw new Error(`no filling "${kind}", only ${Object.keys(FILLINGS).join(', ')}`);
const maxBufferedTraces = kind === LET_GO ? 10_000 : 1e6;
// Once for the caches of the engine and of the recogniser.
await filled(fill, maxBufferedTraces);
process.stdout.write(JSON.stringify(await filled(fill, maxBufferedTraces)));
