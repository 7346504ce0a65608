/**
 * The agent's process, and all that it needs: tracing set up as for any backend. Nothing in it knows of spanplan. Where
 * its spans go is said from outside:
 *
 *     OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 node --import tsx examples/demo/agent.ts Oslo --weather
 */
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { planTrip } from './trip-planner.ts';

const provider = new NodeTracerProvider({
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
});
provider.register();

const [city = 'Lisbon', weather] = process.argv.slice(2);
console.log(await planTrip({ city, weather: weather === '--weather' }));

await provider.shutdown();
