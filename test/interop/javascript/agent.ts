/**
 * An agent that runs two tools at the same time and one after them, as the JavaScript SDK exports it. Where the spans go
 * is said by OTEL_* alone.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { context, type Tracer, trace } from '@opentelemetry/api';
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { BasicTracerProvider, BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base';

const TAKES_MILLIS = 30;

const exporter = exporterOf(process.env.OTEL_EXPORTER_OTLP_PROTOCOL);
const provider = new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });
await run(provider.getTracer('agent'), process.env.AGENT_NAME ?? '');
await provider.shutdown();

async function run(tracer: Tracer, name: string): Promise<void> {
  const start = (operation: string, key: string, value: string, inside = context.active()) =>
    tracer.startSpan(operation, { attributes: { 'gen_ai.operation.name': operation, [key]: value } }, inside);
  const agent = start('invoke_agent', 'gen_ai.agent.name', name);
  const inside = trace.setSpan(context.active(), agent);
  const together = ['search', 'fetch'].map((tool) => start('execute_tool', 'gen_ai.tool.name', tool, inside));
  await sleep(TAKES_MILLIS);
  for (const tool of together) tool.end();
  await sleep(TAKES_MILLIS);
  const write = start('execute_tool', 'gen_ai.tool.name', 'write', inside);
  await sleep(TAKES_MILLIS);
  write.end();
  agent.end();
}

/** The exporters are three packages, none of which reads the protocol by itself. */
function exporterOf(protocol: string | undefined): SpanExporter {
  if (protocol === 'grpc') return new GrpcExporter();
  if (protocol === 'http/protobuf') return new ProtobufExporter();
  if (protocol === 'http/json') return new JsonExporter();
  throw new Error(`OTEL_EXPORTER_OTLP_PROTOCOL: expected grpc, http/protobuf or http/json, got ${protocol}`);
}
