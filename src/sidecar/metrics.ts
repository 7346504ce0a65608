import { type Attributes, metrics, type ObservableResult } from '@opentelemetry/api';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { summingMeterProvider } from './metrics-sum.ts';

/** One value, or one for each series. */
type Reading = number | Iterable<readonly [Attributes, number]>;

/**
 * What the sidecar itself counts, beside the metrics of learning: name, what it is, unit. In Prometheus' names the dots
 * are underscores, and counters end in `_total`.
 */
const COUNTERS = {
  answers: ['spanplan.receiver.answers', 'Requests answered, by transport, signal and status', '{request}'],
  rejectedSpans: ['spanplan.receiver.spans.rejected', 'Spans refused as not usable', '{span}'],
  unused: [
    'spanplan.receiver.requests.unused',
    'Requests taken and not used, as nothing is forwarded',
    '{request}',
  ],
  forwarded: ['spanplan.forward.sent', 'Requests delivered', '{request}'],
  forwardRefused: [
    'spanplan.forward.refused',
    'Requests not taken for forwarding, whose sender was told so, by reason',
    '{request}',
  ],
  forwardDropped: ['spanplan.forward.dropped', 'Requests that were not delivered, by reason', '{request}'],
  forwardRetries: ['spanplan.forward.retries', 'Deliveries tried again', '{try}'],
} as const satisfies Record<string, Instrument>;

const GAUGES = {
  inFlight: ['spanplan.receiver.in_flight', 'Bytes of requests that are worked on', 'By'],
  inFlightLimit: ['spanplan.receiver.in_flight.limit', 'Most bytes of requests that are worked on', 'By'],
  forwardQueue: ['spanplan.forward.queue.size', 'Bytes that wait to be forwarded', 'By'],
  forwardQueueRequests: [
    'spanplan.forward.queue.requests',
    'Requests that wait to be forwarded',
    '{request}',
  ],
  listeners: ['spanplan.admin.listeners', 'Listeners for changes of plans', '{listener}'],
  ready: ['spanplan.ready', '1 while spans can be taken', '1'],
  degraded: ['spanplan.degraded', '1 where something behind the sidecar is amiss, by what', '1'],
} as const satisfies Record<string, Instrument>;

type Instrument = readonly [name: string, description: string, unit: string];

export type SidecarReadings = Readonly<Record<keyof typeof COUNTERS | keyof typeof GAUGES, () => Reading>>;

/** The metrics of a sidecar, which whoever asks is told in Prometheus' text format. */
export class SidecarMetrics {
  readonly #exporter = new PrometheusExporter({ preventServerStart: true });
  readonly #provider = new MeterProvider({ readers: [this.#exporter] });
  readonly #serializer = new PrometheusSerializer(undefined, false, undefined, true, true);

  /** From here on pipelines count here. To be called before they are made. */
  install(): void {
    metrics.setGlobalMeterProvider(summingMeterProvider(this.#provider));
  }

  observe(readings: SidecarReadings): void {
    const meter = this.#provider.getMeter('spanplan.sidecar');
    for (const name of Object.keys(COUNTERS) as (keyof typeof COUNTERS)[]) {
      const [metric, description, unit] = COUNTERS[name];
      meter.createObservableCounter(metric, { description, unit }).addCallback(observing(readings[name]));
    }
    for (const name of Object.keys(GAUGES) as (keyof typeof GAUGES)[]) {
      const [metric, description, unit] = GAUGES[name];
      meter.createObservableGauge(metric, { description, unit }).addCallback(observing(readings[name]));
    }
  }

  async text(): Promise<string> {
    const { resourceMetrics } = await this.#exporter.collect();
    // Units are of OpenMetrics; to this format they are comments, which some readers take amiss.
    return this.#serializer.serialize(resourceMetrics).replace(/^# UNIT .*\n/gm, '');
  }

  async close(): Promise<void> {
    metrics.disable();
    await this.#provider.shutdown();
  }
}

function observing(read: () => Reading): (result: ObservableResult) => void {
  return (result) => {
    const reading = read();
    if (typeof reading === 'number') result.observe(reading);
    else for (const [attributes, value] of reading) result.observe(value, attributes);
  };
}
