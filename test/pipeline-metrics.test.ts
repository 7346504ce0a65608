import { metrics } from '@opentelemetry/api';
import {
  AggregationTemporality,
  type DataPoint,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { afterEach, expect, it } from 'vitest';
import { Pipeline } from '../src/pipeline.ts';
import { MemoryPlanStore } from '../src/store/memory-plan-store.ts';
import { ManualClock } from './support/manual-clock.ts';
import { agent, other, type SpanSpec, spanOf, testConvention, tool } from './support/spans.ts';

const providers: MeterProvider[] = [];
const exporters = new WeakMap<MeterProvider, InMemoryMetricExporter>();

afterEach(async () => {
  metrics.disable();
  for (const provider of providers.splice(0)) await provider.shutdown();
});

function register(): MeterProvider {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1e9 });
  const provider = new MeterProvider({ readers: [reader] });
  providers.push(provider);
  exporters.set(provider, exporter);
  metrics.setGlobalMeterProvider(provider);
  return provider;
}

/** All series by name and attributes, as the provider exports them now. */
async function exported(provider: MeterProvider): Promise<Readonly<Record<string, unknown>>> {
  const exporter = exporters.get(provider);
  exporter?.reset();
  await provider.forceFlush();
  const series: Record<string, unknown> = {};
  for (const { scopeMetrics } of exporter?.getMetrics() ?? []) {
    for (const { descriptor, dataPoints } of scopeMetrics.flatMap((scope) => scope.metrics)) {
      for (const { attributes, value } of dataPoints as DataPoint<unknown>[]) {
        const words = Object.entries(attributes).map(([key, word]) => ` ${key}=${word}`);
        series[`${descriptor.name}${words.join('')}`] = value;
      }
    }
  }
  return series;
}

const RUN: readonly SpanSpec[] = [
  tool('search', { parent: 'root' }),
  tool('fetch', { parent: 'root' }),
  tool('fetch', { parent: 'root' }),
  other('http', { parent: 'root' }),
  agent('root', { name: 'planner' }),
];

function pipeline(clock = new ManualClock()): Pipeline {
  return new Pipeline(new MemoryPlanStore(), { clock, conventions: [testConvention] });
}

const EXPECTED = {
  'spanplan.spans.received': 5,
  'spanplan.spans.recognised rule=test.tool': 3,
  'spanplan.spans.recognised rule=test.agent': 1,
  'spanplan.spans.duplicate': 1,
  'spanplan.spans.ignored': 1,
  'spanplan.spans.learned': 3,
  'spanplan.traces.released reason=flush': 1,
  'spanplan.runs.learned': 1,
  'spanplan.groups.added': 1,
  'spanplan.store.writes': 1,
  'spanplan.spans.buffered': 0,
  'spanplan.spans.awaiting_write': 0,
  'spanplan.traces.buffered': 0,
  'spanplan.traces.kept': 1,
  'spanplan.store.write.duration': expect.objectContaining({ count: 1 }),
};

it('shows every count through the MeterProvider of the application', async () => {
  const provider = register();
  const learning = pipeline();
  learning.consume(RUN.map(spanOf));
  expect(await exported(provider)).toMatchObject({
    'spanplan.spans.buffered': 4,
    'spanplan.traces.buffered': 1,
    'spanplan.buffer.size': expect.any(Number),
  });
  await learning.flush(1_000);
  expect(await exported(provider)).toMatchObject(EXPECTED);
  await learning.shutdown(1_000);
});

it('shows them also to a MeterProvider that is registered later, once', async () => {
  const learning = pipeline();
  const provider = register();
  learning.tick();
  learning.tick();
  learning.consume(RUN.map(spanOf));
  await learning.flush(1_000);
  expect(await exported(provider)).toMatchObject(EXPECTED);
  await learning.shutdown(1_000);
});

it('tells how late a span was, and what was dropped for which reason', async () => {
  const provider = register();
  const clock = new ManualClock();
  const learning = pipeline(clock);
  learning.consume(RUN.map(spanOf));
  await learning.flush(1_000);
  clock.advance(3_600_000);
  learning.tick();
  clock.advance(400_000);
  learning.consume([spanOf(tool('late', { parent: 'root' }))]);
  expect(await exported(provider)).toMatchObject({
    'spanplan.spans.dropped reason=late': 1,
    'spanplan.spans.late.age': expect.objectContaining({ count: 1, sum: 4_000_000 }),
  });
  await learning.shutdown(1_000);
});

it('counts runs that late spans made again', async () => {
  const provider = register();
  const learning = pipeline();
  learning.consume(RUN.map(spanOf));
  await learning.flush(1_000);
  learning.consume([spanOf(tool('weather', { parent: 'root' }))]);
  await learning.flush(1_000);
  expect(await exported(provider)).toMatchObject({
    'spanplan.runs.learned': 1,
    'spanplan.runs.amended': 1,
    'spanplan.traces.released reason=flush': 2,
  });
  await learning.shutdown(1_000);
});

it('counts a run that is new as such, though its trace is not', async () => {
  const provider = register();
  const learning = pipeline();
  learning.consume(RUN.map(spanOf));
  await learning.flush(1_000);
  const second = [agent('second', { name: 'writer' }), tool('save', { parent: 'second' })];
  learning.consume(second.map(spanOf));
  await learning.flush(1_000);
  const metrics = await exported(provider);
  expect(metrics).toMatchObject({ 'spanplan.runs.learned': 2 });
  expect(metrics['spanplan.runs.amended'] ?? 0).toBe(0);
  await learning.shutdown(1_000);
});

it('takes its instruments away at shutdown', async () => {
  const provider = register();
  const learning = pipeline();
  learning.consume(RUN.map(spanOf));
  await learning.shutdown(1_000);
  expect(Object.keys(await exported(provider))).not.toContain('spanplan.spans.buffered');
});
