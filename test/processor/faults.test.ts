import {
  DiagLogLevel,
  diag,
  type MeterProvider,
  metrics,
  ROOT_CONTEXT,
  type Tracer,
} from '@opentelemetry/api';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FanoutSpanProcessor, type FanoutSpanProcessorOptions } from '../../src/fanout-span-processor.ts';
import type { SdkSpan } from '../../src/source/sdk-span.ts';
import { MemoryPlanStore } from '../../src/store/memory-plan-store.ts';
import { type PlanStore, StoreError } from '../../src/store/plan-store.ts';
import type { Clock } from '../../src/support/clock.ts';
import { maximalGroups, plansOf } from '../support/maximal-groups.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { runAgent } from './agent-scenario.ts';

// An SDK calls its processors without a net: what one throws comes out of the application's own `span.end()`. So every
// dependency fails here in turn, and the application must not notice.

const SECRET = 'the-password-of-everything';

function boom(): never {
  throw new Error(SECRET);
}

/** All that is told through the API's diagnostics. */
function listenToDiag(): readonly string[] {
  const told: string[] = [];
  const tell = (...parts: readonly unknown[]) => {
    told.push(parts.map(String).join(' '));
  };
  diag.setLogger(
    { error: tell, warn: tell, info: tell, debug: tell, verbose: tell },
    { logLevel: DiagLogLevel.ALL, suppressOverrideMessage: true },
  );
  told.length = 0;
  return told;
}

afterEach(() => {
  diag.disable();
  vi.restoreAllMocks();
});

function tracerOf(processor: FanoutSpanProcessor): Tracer {
  return new NodeTracerProvider({ spanProcessors: [processor] }).getTracer('an-agent');
}

/** A span as good as any, with the field at fault put over it. */
function spanWith(fault: object, spanId = '1'.repeat(16)): SdkSpan {
  const span = {
    name: 'execute_tool search',
    kind: 0,
    spanContext: () => ({ traceId: 'a'.repeat(32), spanId }),
    startTime: [1, 0],
    endTime: [2, 0],
    ended: true,
    status: { code: 0 },
    attributes: { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'search' },
    resource: { attributes: {} },
    instrumentationScope: { name: 'an-agent' },
  };
  return Object.create(span, Object.getOwnPropertyDescriptors(fault));
}

/** Spans that no SDK should hand over, and some will. */
const BAD_SPANS: Readonly<Record<string, SdkSpan>> = {
  'attributes that throw when they are read': spanWith({
    attributes: {
      get 'gen_ai.operation.name'() {
        return boom();
      },
    },
  }),
  'an attributes field that throws': spanWith({
    get attributes() {
      return boom();
    },
  }),
  'attributes that are a hostile proxy': spanWith({
    attributes: new Proxy({}, { get: boom, has: boom, ownKeys: boom }),
  }),
  'attributes that are missing': spanWith({ attributes: undefined }),
  'a spanContext that throws': spanWith({ spanContext: boom }),
  'a spanContext of nothing': spanWith({ spanContext: () => undefined }),
  'a resource that throws': spanWith({
    get resource() {
      return boom();
    },
  }),
  'no resource': spanWith({ resource: undefined }),
  'no status': spanWith({ status: undefined }),
  'no scope': spanWith({ instrumentationScope: undefined }),
  'no times': spanWith({ startTime: undefined, endTime: undefined }),
  'a name that is no string': spanWith({ name: Symbol('name') }),
  'no name': spanWith({ name: undefined }),
  'a scope name that is no string': spanWith({ instrumentationScope: { name: 7 } }),
  'times in milliseconds': spanWith({ startTime: [1.7e12, 0], endTime: [1.8e12, 0] }),
  'times in nanoseconds': spanWith({ startTime: [1.7e18, 0], endTime: [1.8e18, 0] }),
  'an end that is no number': spanWith({ endTime: [Number.NaN, 0] }),
  'an error of no class': spanWith({
    get name() {
      throw null;
    },
  }),
};

describe('a span that is at fault', () => {
  it.each(Object.entries(BAD_SPANS))('never throws into the application: %s', async (_, span) => {
    const told = listenToDiag();
    const store = new MemoryPlanStore();
    const processor = new FanoutSpanProcessor({ store });
    expect(() => processor.onStart(span, ROOT_CONTEXT)).not.toThrow();
    expect(() => processor.onEnd(span)).not.toThrow();
    runAgent(tracerOf(processor), 'planner');
    await processor.forceFlush();
    expect(maximalGroups(await plansOf(store))).toEqual([['fetch', 'search']]);
    await expect(processor.shutdown()).resolves.toBeUndefined();
    const { received, learned, ignored, dropped } = processor.account;
    expect(learned + ignored + Object.values(dropped).reduce((sum, count) => sum + count, 0)).toBe(received);
    expect(told.join('\n')).not.toContain(SECRET);
  });

  it.each(Object.entries(BAD_SPANS))('does not hold back the trace it is part of: %s', async (_, broken) => {
    const processor = new FanoutSpanProcessor({ store: new MemoryPlanStore() });
    processor.onStart(broken, ROOT_CONTEXT);
    processor.onStart(spanWith({}, '2'.repeat(16)), ROOT_CONTEXT);
    processor.onEnd(spanWith({}, '2'.repeat(16)));
    processor.onEnd(broken);
    await processor.forceFlush();
    const { received, learned, ignored, dropped, ...waiting } = processor.account;
    expect(waiting).toEqual({ buffered: 0, awaiting: 0, duplicate: 0 });
    expect(learned).toBeGreaterThan(0);
    expect(learned + ignored + (dropped.error ?? 0)).toBe(received);
    await processor.shutdown();
  });

  it.each(Object.entries(BAD_SPANS))(
    'does not hold back others where it is evicted open: %s',
    async (_, bad) => {
      const store = new MemoryPlanStore();
      const processor = new FanoutSpanProcessor({ store, maxBufferedTraces: 10 });
      for (let trace = 0; trace < 30; trace++) {
        const traceId = trace.toString(16).padStart(32, 'f');
        const isReadable = Object.getOwnPropertyDescriptor(bad, 'spanContext') === undefined;
        const spanContext = () => ({ traceId, spanId: '1'.repeat(16) });
        const ended = { value: false };
        const open = Object.create(
          bad,
          isReadable ? { ended, spanContext: { value: spanContext } } : { ended },
        );
        processor.onStart(open, ROOT_CONTEXT);
      }
      runAgent(tracerOf(processor), 'planner');
      await processor.forceFlush();
      expect(maximalGroups(await plansOf(store))).toEqual([['fetch', 'search']]);
      await processor.shutdown();
    },
  );

  it('is told once, without its content', async () => {
    const told = listenToDiag();
    const processor = new FanoutSpanProcessor({ store: new MemoryPlanStore() });
    for (let count = 0; count < 100; count++) processor.onEnd(spanWith({ spanContext: boom }));
    await processor.shutdown();
    expect(told).toHaveLength(1);
  });

  it('does not harm when it is open at shutdown', async () => {
    const processor = new FanoutSpanProcessor({ store: new MemoryPlanStore() });
    for (const span of Object.values(BAD_SPANS)) {
      const open = Object.create(span, { ended: { value: false } });
      expect(() => processor.onStart(open, ROOT_CONTEXT)).not.toThrow();
    }
    await expect(processor.shutdown()).resolves.toBeUndefined();
  });
});

describe('a context that is at fault', () => {
  it('never throws into the application', async () => {
    const store = new MemoryPlanStore();
    const processor = new FanoutSpanProcessor({ store });
    const span = spanWith({ parentSpanId: '2'.repeat(16), ended: false });
    for (const bad of [undefined, null, 5, {}, { getValue: boom }]) {
      expect(() => Reflect.apply(processor.onStart, processor, [span, bad])).not.toThrow();
    }
    await processor.shutdown();
  });
});

/** Each as a method of the store might fail; each call of any method does so. */
const BAD_STORES: Readonly<Record<string, () => unknown>> = {
  'throws at once': boom,
  rejects: () => Promise.reject(new Error(SECRET)),
  'rejects with nothing': () => Promise.reject(undefined),
  'rejects with what no text can be made of': () => Promise.reject(Object.create(null)),
  'is away': () => Promise.reject(new StoreError('unavailable', 'Redis is away')),
  'is closed': () => Promise.reject(new StoreError('closed', 'closed')),
  'never answers': () => new Promise(() => {}),
  'answers with nothing': () => Promise.resolve(undefined),
};

function badStore(fail: () => unknown): PlanStore {
  return new Proxy(new MemoryPlanStore(), { get: () => fail });
}

describe.each(Object.entries(BAD_STORES))('a store that %s', (_, fail) => {
  it('neither throws nor holds up forceFlush and shutdown beyond their time', async () => {
    const processor = new FanoutSpanProcessor({ store: badStore(fail), shutdownTimeoutMillis: 200 });
    const tracer = tracerOf(processor);
    expect(() => runAgent(tracer, 'planner')).not.toThrow();
    for (const method of ['forceFlush', 'shutdown'] as const) {
      const started = performance.now();
      await expect(processor[method]()).resolves.toBeUndefined();
      expect(performance.now() - started).toBeLessThan(600);
    }
    const { received, learned, awaiting, dropped } = processor.account;
    expect(learned + awaiting + Object.values(dropped).reduce((sum, count) => sum + count, 0)).toBe(received);
  });

  it('leaves no promise rejected without a handler', async () => {
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    const processor = new FanoutSpanProcessor({ store: badStore(fail), shutdownTimeoutMillis: 100 });
    runAgent(tracerOf(processor), 'planner');
    await processor.shutdown();
    await new Promise((resolve) => setTimeout(resolve, 20));
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });
});

it('a store that cannot be opened is an error of nobody but the diagnostics', async () => {
  const told = listenToDiag();
  const store = 'redis://user:hunter2@127.0.0.1:1';
  const processor = new FanoutSpanProcessor({ store, shutdownTimeoutMillis: 1_000 });
  runAgent(tracerOf(processor), 'planner');
  const started = performance.now();
  await processor.shutdown();
  expect(performance.now() - started).toBeLessThan(1_500);
  expect(told.length).toBeGreaterThan(0);
  expect(told.join('\n')).not.toContain('hunter2');
});

it('a Redis that stops answering holds up neither the application nor its end', async () => {
  const server = await startRedisServer();
  const processor = new FanoutSpanProcessor({ store: server.url, shutdownTimeoutMillis: 400 });
  const tracer = tracerOf(processor);
  runAgent(tracer, 'planner');
  await processor.forceFlush();
  expect(processor.account.learned).toBe(4);
  server.freeze();
  expect(() => runAgent(tracer, 'planner')).not.toThrow();
  for (const method of ['forceFlush', 'shutdown'] as const) {
    const started = performance.now();
    await expect(processor[method]()).resolves.toBeUndefined();
    expect(performance.now() - started).toBeLessThan(800);
  }
  server.thaw();
  await server.dispose();
});

describe('options that cannot be', () => {
  const store = new MemoryPlanStore();
  it.each<[string, FanoutSpanProcessorOptions]>([
    ['redis://HOST:PORT', { store: 'redis:/u:hunter2@h' }],
    ['no URL of a store', { store: 'mysql://hunter2' }],
    ['maxAgents', { store: 'memory:', maxAgents: -1 }],
    ['give this to the store', { store, maxAgents: 5 }],
    ['give this to the store', { store, keyPrefix: 'nemo_relay:' }],
    ['appliedRunTtlSeconds', { store: 'memory:', appliedRunTtlSeconds: 1, lateMillis: 3_600_000 }],
    ['shutdownTimeoutMillis', { store, shutdownTimeoutMillis: 0 }],
    ['rootQuietMillis', { store, rootQuietMillis: 2, idleMillis: 1 }],
    ['minOverlapMillis', { store, minOverlapMillis: -1 }],
    ['agentId', { store, agentId: ' ' }],
  ])('fail at construction with a sentence: %s', (said, options) => {
    expect(() => new FanoutSpanProcessor(options)).toThrow(said);
    expect(() => new FanoutSpanProcessor(options)).not.toThrow('hunter2');
  });

  it('but not where runs are remembered for just as long as late spans are taken', async () => {
    const late = { store: 'memory:', lateMillis: 3_600_000 };
    expect(() => new FanoutSpanProcessor({ ...late, appliedRunTtlSeconds: 3_599 })).toThrow('late span');
    const processor = new FanoutSpanProcessor({ ...late, appliedRunTtlSeconds: 3_600 });
    await processor.shutdown();
  });

  it('and a store that was made from a URL is closed at shutdown', async () => {
    const processor = new FanoutSpanProcessor({ store: 'memory:' });
    expect(await processor.store.agents()).toEqual([]);
    await processor.shutdown();
    await expect(processor.store.agents()).rejects.toThrow('closed');
  });
});

describe('what the user gives', () => {
  const conventions = [{ name: 'mine', source: 'a test', attributes: ['x'], recognise: boom }];
  it.each([
    ['conventions', { conventions }],
    ['agentId', { agentId: boom }],
    ['toolName', { toolName: boom }],
  ])('may throw in %s: its spans go on without it', async (_, options) => {
    const told = listenToDiag();
    const store = new MemoryPlanStore();
    const processor = new FanoutSpanProcessor({ store, ...options });
    runAgent(tracerOf(processor), 'planner');
    await processor.shutdown();
    expect(maximalGroups(await plansOf(store))).toEqual([['fetch', 'search']]);
    expect(told.join('\n')).not.toContain(SECRET);
    expect(told.filter((line) => line.includes('threw'))).toHaveLength(1);
  });

  it('may be a clock that throws: the spans are lost, the application is not', async () => {
    const clock: Clock = { now: boom, every: () => () => {} };
    const processor = new FanoutSpanProcessor({ store: new MemoryPlanStore(), clock });
    const tracer = tracerOf(processor);
    expect(() => runAgent(tracer, 'planner')).not.toThrow();
    await expect(processor.forceFlush()).resolves.toBeUndefined();
    await expect(processor.shutdown()).resolves.toBeUndefined();
  });

  it('may be a clock that throws when it ticks, which nobody is there to catch', async () => {
    const ticks: (() => void)[] = [];
    let isBroken = false;
    const clock: Clock = {
      now: () => (isBroken ? boom() : 0),
      every: (_, tick) => {
        ticks.push(tick);
        return boom;
      },
    };
    const processor = new FanoutSpanProcessor({ store: new MemoryPlanStore(), clock });
    isBroken = true;
    expect(ticks).toHaveLength(1);
    for (const tick of ticks) expect(tick).not.toThrow();
    await expect(processor.shutdown()).resolves.toBeUndefined();
  });

  it.each<[string, object]>([
    ['has no meter', { getMeter: boom }],
    ['has a meter of nothing', { getMeter: () => ({}) }],
    [
      'makes instruments that throw',
      { getMeter: () => new Proxy({}, { get: () => () => new Proxy({}, { get: () => boom }) }) },
    ],
  ])('may be a MeterProvider that %s', async (_, provider) => {
    metrics.setGlobalMeterProvider(provider as MeterProvider);
    const store = new MemoryPlanStore();
    const processor = new FanoutSpanProcessor({ store });
    runAgent(tracerOf(processor), 'planner');
    await processor.shutdown();
    metrics.disable();
    expect(maximalGroups(await plansOf(store))).toEqual([['fetch', 'search']]);
    expect(processor.account).toMatchObject({ learned: 4, dropped: {} });
  });

  it('may be a logger that throws', async () => {
    diag.setLogger({ error: boom, warn: boom, info: boom, debug: boom, verbose: boom });
    const processor = new FanoutSpanProcessor({
      store: badStore(boom),
      conventions,
      shutdownTimeoutMillis: 100,
    });
    const tracer = tracerOf(processor);
    expect(() => runAgent(tracer, 'planner')).not.toThrow();
    expect(() => processor.onEnd(spanWith({ spanContext: boom }))).not.toThrow();
    await expect(processor.forceFlush()).resolves.toBeUndefined();
    await expect(processor.shutdown()).resolves.toBeUndefined();
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])(
    'is refused at construction where shutdownTimeoutMillis is %d',
    (shutdownTimeoutMillis) => {
      const store = new MemoryPlanStore();
      expect(() => new FanoutSpanProcessor({ store, shutdownTimeoutMillis })).toThrow(
        /shutdownTimeoutMillis/,
      );
    },
  );

  it('is refused at construction where the store is no URL of one, without telling the URL', () => {
    const store = `postgres://user:${SECRET}@host`;
    expect(() => new FanoutSpanProcessor({ store })).toThrow(/redis:\/\//);
    expect(() => new FanoutSpanProcessor({ store })).not.toThrow(SECRET);
  });
});
