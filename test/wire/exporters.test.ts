import { credentials, Metadata } from '@grpc/grpc-js';
import { context, trace } from '@opentelemetry/api';
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { BasicTracerProvider, BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import { describe, expect, it, onTestFinished } from 'vitest';
import { OtlpGrpcReceiver } from '../../src/source/receiver/otlp-grpc.ts';
import { OtlpHttpReceiver } from '../../src/source/receiver/otlp-http.ts';
import type { BoundAddress } from '../../src/source/receiver/receiver-options.ts';
import { captureWarnings } from '../support/captured-warnings.ts';
import { PipelineSink } from './pipeline-sink.ts';
import { receiving } from './receiving.ts';

interface Exporting {
  readonly make: (address: BoundAddress, token?: string) => SpanExporter;
  readonly Receiver: typeof OtlpHttpReceiver | typeof OtlpGrpcReceiver;
}

type Compression = NonNullable<NonNullable<ConstructorParameters<typeof JsonExporter>[0]>['compression']>;

const urlOf = ({ host, port }: BoundAddress) => `http://${host}:${port}`;
const bearer = (token?: string): Record<string, string> =>
  token ? { authorization: `Bearer ${token}` } : {};

const exportings = (['none', 'gzip'] as Compression[]).flatMap((compression): [string, Exporting][] => [
  [
    `http/json, ${compression}`,
    {
      make: (to, token) =>
        new JsonExporter({ url: `${urlOf(to)}/v1/traces`, compression, headers: bearer(token) }),
      Receiver: OtlpHttpReceiver,
    },
  ],
  [
    `http/protobuf, ${compression}`,
    {
      make: (to, token) =>
        new ProtobufExporter({ url: `${urlOf(to)}/v1/traces`, compression, headers: bearer(token) }),
      Receiver: OtlpHttpReceiver,
    },
  ],
  [
    `grpc, ${compression}`,
    {
      make: (to, token) => {
        const metadata = new Metadata();
        for (const [name, value] of Object.entries(bearer(token))) metadata.set(name, value);
        const channel = credentials.createInsecure();
        return new GrpcExporter({ url: urlOf(to), compression, metadata, credentials: channel });
      },
      Receiver: OtlpGrpcReceiver,
    },
  ],
]);

async function providerTo(exporter: SpanExporter): Promise<BasicTracerProvider> {
  const processor = new BatchSpanProcessor(exporter, { scheduledDelayMillis: 20, maxExportBatchSize: 64 });
  const provider = new BasicTracerProvider({ spanProcessors: [processor] });
  onTestFinished(() => provider.shutdown().catch(() => {}));
  return provider;
}

/** An agent that searches and fetches at once, some times over. */
async function runAgent(provider: BasicTracerProvider, runs: number): Promise<void> {
  const tracer = provider.getTracer('an-agent');
  for (let run = 0; run < runs; run++) {
    const agent = tracer.startSpan('invoke_agent planner', {
      attributes: { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'planner' },
    });
    const inside = trace.setSpan(context.active(), agent);
    const tools = ['search', 'fetch'].map((name) =>
      tracer.startSpan(
        `execute_tool ${name}`,
        { attributes: { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': name } },
        inside,
      ),
    );
    await new Promise((done) => setTimeout(done, 5));
    for (const tool of tools) tool.end();
    agent.end();
  }
}

/** What exporters say of themselves goes to `diag`. */
function listenToExporters(): readonly string[] {
  const { lines, stop } = captureWarnings();
  onTestFinished(stop);
  return lines;
}

describe.each(exportings)('the exporter of SDK 2.12 for %s', (_, { make, Receiver }) => {
  it('sends every span, and teaches the plan', async () => {
    const complaints = listenToExporters();
    const sink = new PipelineSink();
    const { receiver, address } = await receiving(Receiver, { sink });
    const provider = await providerTo(make(address));
    await runAgent(provider, 40);
    await provider.forceFlush();
    // forceFlush does not wait for a batch that is on its way already.
    await expect.poll(() => sink.pipeline.account.received).toBe(120);
    await receiver.close(1_000);
    expect(await sink.learned()).toMatchObject({
      planner: { plan: { parallel_groups: [{ tool_names: ['fetch', 'search'] }] } },
    });
    expect(complaints).toEqual([]);
  });

  it('is let in with its token, and kept out without', async () => {
    let refused = 0;
    const { sink, address } = await receiving(Receiver, {
      auth: { tokens: [{ token: 'open-sesame' }] },
      onAnswer: ({ status }) => {
        if (status === 401 || status === 16) refused++;
      },
    });
    const admitted = await providerTo(make(address, 'open-sesame'));
    await runAgent(admitted, 1);
    await admitted.forceFlush();
    const kept = await providerTo(make(address));
    await runAgent(kept, 1);
    await kept.forceFlush().catch(() => {});
    await expect.poll(() => refused).toBe(1);
    expect(sink.spans).toHaveLength(3);
  });
});

const retrying = exportings.filter(
  ([name, { Receiver }]) => Receiver === OtlpHttpReceiver && name.endsWith('none'),
);

describe.each(retrying)('the exporter of SDK 2.12 for %s, which tries again,', (_, { make, Receiver }) => {
  it('loses nothing to an overload that passes', async () => {
    const complaints = listenToExporters();
    const { sink, address } = await receiving(Receiver);
    const provider = await providerTo(make(address));
    sink.room = 100;
    setTimeout(() => {
      sink.room = Number.POSITIVE_INFINITY;
    }, 1_500);
    await runAgent(provider, 20);
    await provider.forceFlush();
    // forceFlush does not wait for a batch that is on its way already.
    await expect.poll(() => sink.spans.length, { timeout: 10_000 }).toBe(60);
    expect(complaints).toEqual([]);
  });
});
