import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { BasicTracerProvider, BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import { onTestFinished } from 'vitest';
import { runIdOf } from '../../src/trace/run-id.ts';
import { START, startAgent, startTool } from '../processor/agent-scenario.ts';
import { RetryingGrpcExporter } from './retrying-grpc-exporter.ts';

export const TRANSPORTS = ['http/json', 'http/protobuf', 'grpc'] as const;
type Transport = (typeof TRANSPORTS)[number];

export interface ExportingAgentOptions {
  readonly name: string;
  readonly transport: Transport;
  /** Where the sidecar listens. */
  readonly to: { readonly http: string; readonly grpc: string };
  /** So many bytes of prompt in each run. */
  readonly promptBytes?: number;
  /** How long the exporter tries to deliver a batch. Default 10,000, as the SDK's own. */
  readonly timeoutMillis?: number;
}

/** An agent with a real tracer provider, batch processor and exporter, and an account of what it made. */
export class ExportingAgent {
  readonly name: string;
  readonly spanIds = new Set<string>();
  readonly runIds = new Set<string>();
  /** What the exporter said of batches that it could not deliver. */
  readonly failures: string[] = [];
  readonly #prompt: string;
  readonly #provider: BasicTracerProvider;
  readonly #exports = new Set<Promise<void>>();

  constructor({ name, transport, to, promptBytes = 0, timeoutMillis = 10_000 }: ExportingAgentOptions) {
    this.name = name;
    this.#prompt = 'x'.repeat(promptBytes);
    const processor = new BatchSpanProcessor(this.#watched(EXPORTERS[transport](to, timeoutMillis)), {
      scheduledDelayMillis: 50,
      exportTimeoutMillis: 2 * timeoutMillis,
      maxExportBatchSize: SPANS_PER_BATCH,
      maxQueueSize: 100_000,
    });
    this.#provider = new BasicTracerProvider({ spanProcessors: [processor] });
    onTestFinished(() => this.#provider.shutdown().catch(() => {}));
  }

  /** One run: two tools at the same time, called by the agent. */
  run(): void {
    const tracer = this.#provider.getTracer('agent');
    const agent = startAgent(tracer, this.name);
    if (this.#prompt !== '') agent.setAttribute('gen_ai.input.messages', this.#prompt);
    const tools = ['search', 'fetch'].map((tool, at) => startTool(tracer, tool, agent, 10 + at));
    for (const span of [...tools, agent]) {
      this.spanIds.add(span.spanContext().spanId);
      span.end(START + 100);
    }
    const { traceId, spanId } = agent.spanContext();
    this.runIds.add(runIdOf(traceId, spanId, 1));
  }

  /** Waits until all was delivered or given up. */
  async delivered(): Promise<void> {
    // A flush does not wait for a batch that is on its way already.
    await this.#provider.forceFlush().catch(() => {});
    while (this.#exports.size > 0) await Promise.all(this.#exports);
  }

  #watched(exporter: SpanExporter): SpanExporter {
    return {
      export: (spans, done) => {
        const exported = new Promise<void>((resolve) => {
          exporter.export(spans, (result) => {
            if (result.code !== 0) this.failures.push(String(result.error?.message));
            done(result);
            resolve();
          });
        });
        this.#exports.add(exported);
        void exported.then(() => this.#exports.delete(exported));
      },
      shutdown: () => exporter.shutdown(),
    };
  }
}

/** Whole runs: a batch is so many spans, and a run is three. */
const SPANS_PER_BATCH = 48;

type MakeExporter = (to: ExportingAgentOptions['to'], timeoutMillis: number) => SpanExporter;

const EXPORTERS: Readonly<Record<Transport, MakeExporter>> = {
  'http/json': ({ http }, timeoutMillis) =>
    new JsonExporter({ url: `http://${http}/v1/traces`, timeoutMillis }),
  'http/protobuf': ({ http }, timeoutMillis) =>
    new ProtobufExporter({ url: `http://${http}/v1/traces`, timeoutMillis }),
  grpc: ({ grpc }, timeoutMillis) =>
    new RetryingGrpcExporter(new GrpcExporter({ url: `http://${grpc}`, timeoutMillis })),
};
