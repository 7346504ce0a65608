import { createServer } from 'node:http';
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  type SpanExporter,
} from '@opentelemetry/sdk-trace-base';
import { beforeAll, describe, expect, it } from 'vitest';
import { plainSpan } from '../../src/model/numeric-span.ts';
import type { Span } from '../../src/model/span.ts';
import { decodeOtlpJson } from '../../src/source/otlp/otlp-json.ts';
import { decodeOtlpProtobuf } from '../../src/source/otlp/otlp-protobuf.ts';
import { resourceOf } from '../../src/source/otlp/resource.ts';
import { everything } from './otlp-request.ts';

/** Spans made by the real SDK, and the bodies that its two OTLP exporters post for them. */
async function recordSpans(): Promise<{ spans: ReadableSpan[]; json: Buffer; protobuf: Buffer }> {
  const memory = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(memory)] });
  const tracer = provider.getTracer('my-agent', '1.2.3');

  const remote = {
    traceId: 'a'.repeat(32),
    spanId: 'b'.repeat(16),
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
  };
  const called = tracer.startSpan(
    'invoke_agent',
    { kind: SpanKind.SERVER },
    trace.setSpanContext(ROOT_CONTEXT, remote),
  );
  const root = tracer.startSpan('root', { kind: SpanKind.CLIENT }, ROOT_CONTEXT);
  const child = tracer.startSpan(
    'child',
    { startTime: [1795354563, 298730797] },
    trace.setSpan(ROOT_CONTEXT, root),
  );
  child.setAttributes({
    text: 'väl🙂ue',
    whole: 42,
    negative: -7,
    large: 2 ** 53 - 1,
    half: 0.5,
    yes: true,
    list: ['a', 'b'],
    numbers: [1, 2.5],
    none: [],
  });
  child.addEvent('gen_ai.content', { prompt: 'secret' }).addLink({ context: root.spanContext() });
  child.setStatus({ code: SpanStatusCode.ERROR, message: 'secret' });
  child.end([1795354563, 413467386]);
  root.end();
  called.end();

  const spans = memory.getFinishedSpans();
  const post = async (make: (url: string) => SpanExporter) => {
    const [body] = await bodiesOf(async (url) => {
      const exporter = make(url);
      await new Promise((done) => exporter.export(spans, done));
      await exporter.shutdown();
    });
    return body ?? Buffer.alloc(0);
  };
  return {
    spans,
    json: await post((url) => new JsonExporter({ url })),
    protobuf: await post((url) => new ProtobufExporter({ url })),
  };
}

/** What is posted to a server that lives as long as `send`. */
async function bodiesOf(send: (url: string) => Promise<void>): Promise<Buffer[]> {
  const bodies: Buffer[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    bodies.push(Buffer.concat(chunks));
    response.writeHead(200, { connection: 'close' }).end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  await send(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/v1/traces`);
  await new Promise((done) => server.close(done));
  return bodies;
}

function expectedOf(span: ReadableSpan): Span {
  return {
    traceId: span.spanContext().traceId,
    spanId: span.spanContext().spanId,
    parentSpanId: span.parentSpanContext?.spanId,
    parentIsRemote: span.parentSpanContext?.isRemote ?? false,
    name: span.name,
    kind: (span.kind + 1) as Span['kind'],
    start: [span.startTime[0], span.startTime[1]],
    end: [span.endTime[0], span.endTime[1]],
    isError: span.status.code === SpanStatusCode.ERROR,
    scopeName: span.instrumentationScope.name,
    resource: resourceOf(span.resource.attributes),
    attributes: span.attributes,
  };
}

/** Attributes stand in objects without prototype. */
function plain(spans: readonly Span[]): Span[] {
  return spans.map((span) => ({ ...plainSpan(span), attributes: { ...span.attributes } }));
}

describe('what the OpenTelemetry exporters post', () => {
  let recorded: Awaited<ReturnType<typeof recordSpans>>;
  beforeAll(async () => {
    recorded = await recordSpans();
  });

  it('covers a remote parent, a root and a child', () => {
    expect(recorded.spans.map((span) => span.parentSpanContext?.isRemote)).toEqual([
      undefined,
      undefined,
      true,
    ]);
  });

  it('as JSON is read as the spans that were made', () => {
    const batch = decodeOtlpJson(recorded.json.toString('utf8'), everything);
    expect(batch.rejected).toBe(0);
    expect(plain(batch.spans)).toEqual(recorded.spans.map(expectedOf));
  });

  it('as protobuf is read as the spans that were made', () => {
    const batch = decodeOtlpProtobuf(recorded.protobuf, everything);
    expect(batch.rejected).toBe(0);
    expect(plain(batch.spans)).toEqual(recorded.spans.map(expectedOf));
  });

  it('cut at any byte never crashes either decoder', () => {
    const { protobuf, json } = recorded;
    for (let cut = 1; cut < protobuf.length; cut++) {
      expect(() => decodeOtlpProtobuf(protobuf.subarray(0, cut), everything)).toThrow(
        expect.objectContaining({ name: 'MalformedBodyError', byteOffset: expect.any(Number) }),
      );
    }
    for (let cut = 0; cut < json.length; cut++) {
      expect(() => decodeOtlpJson(json.toString('latin1', 0, cut), everything)).toThrow(
        expect.objectContaining({ name: 'MalformedBodyError', byteOffset: expect.any(Number) }),
      );
    }
  });
});
