import { inspect } from 'node:util';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Convention } from '../src/conventions/convention.ts';
import { NumericSpan } from '../src/model/numeric-span.ts';
import type { Span } from '../src/model/span.ts';
import type { Verdict } from '../src/model/verdict.ts';
import { Pipeline } from '../src/pipeline.ts';
import type { PipelineOptions } from '../src/pipeline-options.ts';
import { MemoryPlanStore } from '../src/store/memory-plan-store.ts';
import type { PlanStore } from '../src/store/plan-store.ts';
import { expectConserved } from './support/account.ts';
import { captureWarnings } from './support/captured-warnings.ts';
import { FlakyStore, type Weather } from './support/flaky-store.ts';
import { ManualClock } from './support/manual-clock.ts';
import { agent, other, type SpanSpec, spanOf, testConvention, tool } from './support/spans.ts';

const HOUR = 3_600_000;

function pipelineOf(store: PlanStore, options: PipelineOptions = {}, mode: 'wire' | 'process' = 'wire') {
  const clock = new ManualClock();
  return { clock, pipeline: new Pipeline(store, { clock, conventions: [testConvention], ...options }, mode) };
}

const feed = (pipeline: Pipeline, ...specs: readonly SpanSpec[]) => pipeline.consume(specs.map(spanOf));
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A run of three spans that yields one group, and one span that is no part of it. */
function fanout(trace: string, name = 'planner'): readonly SpanSpec[] {
  return [
    tool('search', { trace, parent: 'root' }),
    tool('fetch', { trace, parent: 'root' }),
    other('http', { trace, parent: 'root' }),
    agent('root', { trace, name }),
  ];
}

let warnings: ReturnType<typeof captureWarnings>;
beforeEach(() => {
  warnings = captureWarnings();
});
afterEach(() => warnings.stop());

describe("a user's rule", () => {
  it.each(['toolName', 'agentId'] as const)('may make spans of its own: %s', (rule) => {
    const seen = new Map<string, string | undefined>();
    const observer = {
      recognised: ({ name }: Span, verdict: Verdict) => void seen.set(name, verdict.name ?? verdict.role),
    };
    const clock = new ManualClock();
    let isAsked = false;
    const ask = ({ name }: Span) => {
      if (!isAsked) {
        isAsked = true;
        feed(pipeline, other('http'), tool('fetch'));
        isAsked = false;
      }
      return name === 'fetch' ? 'fetched' : undefined;
    };
    const options = { clock, conventions: [testConvention], [rule]: ask };
    const pipeline = new Pipeline(new MemoryPlanStore(), options, 'wire', observer);
    feed(pipeline, tool('search'));
    const fetched = rule === 'toolName' ? 'fetched' : 'fetch';
    expect(Object.fromEntries(seen)).toEqual({ search: 'search', http: 'none', fetch: fetched });
  });
});

describe('the way of a span', () => {
  it('leads into the plan of its agent', async () => {
    const store = new MemoryPlanStore();
    const { pipeline } = pipelineOf(store);
    feed(pipeline, ...fanout('one'));
    expect(pipeline.account).toMatchObject({ received: 4, buffered: 4 });
    await pipeline.flush(1_000);
    expect(pipeline.account).toMatchObject({ buffered: 0, awaiting: 0, learned: 3, ignored: 1 });
    const stored = await store.load('planner');
    expect(stored?.plan.parallel_groups.map((group) => group.tool_names)).toEqual([['fetch', 'search']]);
  });

  it('goes on by itself once its trace is quiet', async () => {
    const store = new MemoryPlanStore();
    const { pipeline, clock } = pipelineOf(store);
    feed(pipeline, ...fanout('one'));
    clock.advance(2_000);
    pipeline.tick();
    await turn();
    await turn();
    expect(pipeline.account.learned).toBe(3);
  });

  it('is not refused where much is due at once, and the store keeps up', async () => {
    const { pipeline, clock } = pipelineOf(new MemoryPlanStore(), { holdsWhenFull: true });
    for (let trace = 0; trace < 5_000; trace++) feed(pipeline, ...fanout(`t${trace}`));
    clock.advance(2_000);
    pipeline.tick();
    expect(pipeline.account).toMatchObject({ buffered: 0 });
    while (pipeline.account.awaiting > 0) {
      expect(pipeline.isFull).toBe(false);
      await turn();
    }
    expect(pipeline.account).toMatchObject({ learned: 15_000, ignored: 5_000, dropped: {} });
  });

  it('is refused where the store does not keep up', async () => {
    const store = new FlakyStore();
    store.weather = 'hanging';
    const { pipeline, clock } = pipelineOf(store, { holdsWhenFull: true, maxQueuedRuns: 1_000 });
    const send = (traces: number) => {
      for (let n = 0; n < traces; n++) feed(pipeline, ...fanout(`${clock.now()}-${n}`, `agent-${n % 20}`));
      clock.advance(2_000);
      pipeline.tick();
    };
    send(700);
    for (let turns = 0; turns < 50; turns++) await turn();
    expect(pipeline.isFull).toBe(false);
    send(100);
    for (let turns = 0; turns < 50; turns++) await turn();
    expect(pipeline.isFull).toBe(true);
    expect(pipeline.account.dropped).toEqual({});
    await pipeline.shutdown(1);
  });

  it('ends at shutdown: whatever comes later is not even counted', async () => {
    const { pipeline } = pipelineOf(new MemoryPlanStore());
    feed(pipeline, ...fanout('one'));
    await pipeline.shutdown(1_000);
    feed(pipeline, ...fanout('two'));
    pipeline.start('a'.repeat(32), 'b'.repeat(16), {});
    pipeline.tick();
    await pipeline.flush(1_000);
    expect(pipeline.account).toMatchObject({ received: 4, learned: 3, buffered: 0 });
  });

  it.each(['flush', 'shutdown'] as const)(
    'loses nothing at %s, however many traces are due, where the store works',
    async (end) => {
      const store = new FlakyStore();
      store.weather = 'slow';
      const { pipeline } = pipelineOf(store, { maxQueuedRuns: 20, lateMillis: 1 });
      for (let trace = 0; trace < 500; trace++) feed(pipeline, ...fanout(`t${trace}`));
      await pipeline[end](15_000);
      expect(pipeline.account).toMatchObject({ received: 2_000, learned: 1_500, ignored: 500, dropped: {} });
      await pipeline.shutdown(1_000);
    },
  );

  it('counts as lost what there was no time for at shutdown', async () => {
    const store = new FlakyStore();
    store.weather = 'hanging';
    const { pipeline } = pipelineOf(store, { maxQueuedRuns: 20 });
    for (let trace = 0; trace < 500; trace++) feed(pipeline, ...fanout(`t${trace}`));
    await pipeline.shutdown(50);
    const { received, awaiting, ignored, dropped } = pipeline.account;
    expect(awaiting).toBe(0);
    expect(ignored + (dropped.shutdown ?? 0) + (dropped.queue_full ?? 0)).toBe(received);
  });

  it('ends once, however often it is told to', async () => {
    const { pipeline } = pipelineOf(new MemoryPlanStore());
    expect(pipeline.shutdown(1_000)).toBe(pipeline.shutdown(1));
    await pipeline.shutdown(1);
  });
});

describe('amending', () => {
  it('corrects support and takes back the group of a run that late spans moved to another agent', async () => {
    const store = new MemoryPlanStore();
    const { pipeline } = pipelineOf(store);
    feed(
      pipeline,
      tool('a', { parent: 'sub' }),
      tool('b', { parent: 'sub' }),
      agent('root', { name: 'planner' }),
    );
    await pipeline.flush(1_000);
    expect(await store.support('service')).toMatchObject([{ toolNames: ['a', 'b'], runs: 1 }]);
    feed(pipeline, agent('sub', { name: 'writer', parent: 'root' }));
    await pipeline.flush(1_000);
    expect(await store.support('service')).toEqual([]);
    expect((await store.load('service'))?.plan.parallel_groups ?? []).toEqual([]);
    expect(await store.support('writer')).toMatchObject([{ toolNames: ['a', 'b'], runs: 1 }]);
  });

  it('leaves the runs alone that late spans did not change', async () => {
    const store = new MemoryPlanStore();
    const { pipeline } = pipelineOf(store);
    feed(pipeline, ...fanout('one'));
    await pipeline.flush(1_000);
    const before = await store.load('planner');
    feed(pipeline, other('late', { trace: 'one', parent: 'root' }));
    await pipeline.flush(1_000);
    expect(await store.load('planner')).toEqual(before);
    expect(await store.support('planner')).toMatchObject([{ runs: 1 }]);
    expect(pipeline.account).toMatchObject({ learned: 3, ignored: 2 });
  });
});

describe('every span is accounted for', () => {
  const step = fc.oneof(
    fc.record({ trace: fc.constantFrom('a', 'b', 'c', 'd'), pick: fc.nat(5) }),
    fc.constantFrom(100, 2_000, 300_000, HOUR),
    fc.constantFrom('flush', 'turn'),
    fc
      .constantFrom<Weather>('fine', 'slow', 'away', 'full', 'broken', 'thrown', 'hanging', 'lost')
      .map((sky) => [sky]),
  );

  it.each(['wire', 'process'] as const)('at every moment, in any weather (%s)', async (mode) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const store = new FlakyStore({ maxAgents: 3 });
        const bounds = { maxQueuedRuns: 3, maxSpansPerTrace: 5, maxBufferedTraces: 3 };
        const { pipeline, clock } = pipelineOf(store, bounds, mode);
        for (const what of steps) {
          if (what === 'turn') await turn();
          else if (what === 'flush') await pipeline.flush(1);
          else if (typeof what === 'number') {
            clock.advance(what);
            pipeline.tick();
          } else if (Array.isArray(what)) store.weather = what[0] ?? 'fine';
          else feed(pipeline, ...fanout(what.trace, `agent-${what.pick}`).slice(what.pick % 4));
          expectConserved(pipeline.account);
        }
        await pipeline.shutdown(5);
        expectConserved(pipeline.account);
        expect(pipeline.account).toMatchObject({ buffered: 0, awaiting: 0 });
      }),
      { numRuns: 150 },
    );
  });

  it('as late, with its age, after lateMillis', async () => {
    const { pipeline, clock } = pipelineOf(new MemoryPlanStore());
    feed(pipeline, ...fanout('one'));
    await pipeline.flush(1_000);
    clock.advance(HOUR);
    pipeline.tick();
    feed(pipeline, tool('more', { trace: 'one', parent: 'root' }));
    expect(pipeline.account.dropped).toEqual({ late: 1 });
  });

  it('as duplicate where it came before', async () => {
    const { pipeline } = pipelineOf(new MemoryPlanStore());
    feed(pipeline, ...fanout('one'), ...fanout('one'));
    expect(pipeline.account).toMatchObject({ received: 8, buffered: 4, duplicate: 4 });
  });

  it('as duplicate where another process has learned its run', async () => {
    const store = new MemoryPlanStore();
    for (const duplicate of [0, 3]) {
      const { pipeline } = pipelineOf(store);
      feed(pipeline, ...fanout('one'));
      await pipeline.flush(1_000);
      expect(pipeline.account).toMatchObject({ learned: 3 - duplicate, duplicate, ignored: 1 });
    }
    expect(await store.support('planner')).toMatchObject([{ runs: 1 }]);
  });

  it('as queue_full where its run waited longer than the queue could hold it', async () => {
    const store = new FlakyStore();
    store.weather = 'away';
    const { pipeline } = pipelineOf(store, { maxQueuedRuns: 1 });
    for (const trace of ['one', 'two', 'three']) {
      feed(pipeline, ...fanout(trace));
      await pipeline.flush(1);
    }
    expect(pipeline.account).toMatchObject({ dropped: { queue_full: 6 }, awaiting: 3, ignored: 3 });
    store.weather = 'fine';
    await pipeline.flush(1_000);
    expect(pipeline.account).toMatchObject({ dropped: { queue_full: 6 }, awaiting: 0, learned: 3 });
  });

  it('as agent_limit where the store takes no further agent', async () => {
    const { pipeline } = pipelineOf(new MemoryPlanStore({ maxAgents: 1 }));
    feed(pipeline, ...fanout('one', 'first'));
    await pipeline.flush(1_000);
    feed(pipeline, ...fanout('two', 'second'));
    await pipeline.flush(1_000);
    expect(pipeline.account).toMatchObject({ learned: 3, dropped: { agent_limit: 3 } });
  });

  it('as shutdown where the store hung until then', async () => {
    const store = new FlakyStore();
    store.weather = 'hanging';
    const { pipeline } = pipelineOf(store);
    feed(pipeline, ...fanout('one'));
    await pipeline.shutdown(10);
    expect(pipeline.account).toMatchObject({ dropped: { shutdown: 3 }, awaiting: 0, ignored: 1 });
    expect(warnings.lines.join()).toMatch(/3 spans were not learned before shutdown/);
  });

  it('as learned once where the reply to the write was lost', async () => {
    const store = new FlakyStore();
    store.weather = 'lost';
    const { pipeline } = pipelineOf(store);
    feed(pipeline, ...fanout('one'));
    await pipeline.flush(1);
    expect(pipeline.account.awaiting).toBe(3);
    store.weather = 'fine';
    await pipeline.flush(1_000);
    expectConserved(pipeline.account);
    expect(pipeline.account.awaiting).toBe(0);
    expect(await store.support('planner')).toMatchObject([{ runs: 1 }]);
  });
});

describe('faults of others', () => {
  const secret = () => {
    throw new Error('secret');
  };
  const throwing: Convention = { name: 'mine', source: 'test', attributes: [], recognise: secret };

  it.each<[string, PipelineOptions]>([
    ['a convention', { conventions: [throwing, testConvention] }],
    ['toolName', { toolName: secret }],
    ['agentId', { agentId: secret }],
  ])('in %s: the span goes on without, and one warning says so', async (_, options) => {
    const store = new MemoryPlanStore();
    const { pipeline } = pipelineOf(store, options);
    feed(pipeline, ...fanout('one'), ...fanout('two'));
    await pipeline.flush(1_000);
    expect(pipeline.account).toMatchObject({ learned: 6, ignored: 2, dropped: {} });
    expect(warnings.lines).toHaveLength(1);
    expect(warnings.lines.join()).not.toContain('secret');
  });

  it.each<Weather>(['broken', 'thrown'])(
    'in the store (%s): runs wait, and go out once it is well',
    async (sky) => {
      const store = new FlakyStore();
      store.weather = sky;
      const { pipeline } = pipelineOf(store);
      feed(pipeline, ...fanout('one'));
      await pipeline.flush(1);
      expect(pipeline.account.awaiting).toBe(3);
      store.weather = 'fine';
      await pipeline.flush(1_000);
      expect(pipeline.account).toMatchObject({ awaiting: 0, learned: 3 });
    },
  );

  it('in a span: it is dropped, counted, and told of once without a word of what it held', async () => {
    const { pipeline } = pipelineOf(new MemoryPlanStore());
    const hostile = {
      ...spanOf(agent('x')),
      get resource(): never {
        throw new RangeError('secret');
      },
    };
    pipeline.consume([hostile, hostile]);
    expect(pipeline.account).toMatchObject({ received: 2, dropped: { error: 2 } });
    expect(warnings.lines).toHaveLength(1);
    expect(warnings.lines.join()).not.toContain('secret');
    feed(pipeline, ...fanout('one'));
    await pipeline.flush(1_000);
    expect(pipeline.account.learned).toBe(3);
  });

  it('in whoever observes the assembly: the trace is dropped and counted', async () => {
    const pipeline = new Pipeline(
      new MemoryPlanStore(),
      { clock: new ManualClock(), conventions: [testConvention] },
      'wire',
      { assembled: secret },
    );
    feed(pipeline, ...fanout('one'));
    await pipeline.flush(1_000);
    expect(pipeline.account).toMatchObject({ awaiting: 0, dropped: { error: 4 } });
  });

  it('in the clock: no tick throws', () => {
    const clock = { now: secret, every: () => () => {} };
    const pipeline = new Pipeline(new MemoryPlanStore(), { clock });
    expect(() => pipeline.tick()).not.toThrow();
    pipeline.tick();
    expect(warnings.lines).toHaveLength(1);
  });

  it('in open spans that cannot be kept: their traces leave all the same', () => {
    const readOpen = () => ({ ...spanOf(tool('bad')), start: [Number.NaN, 0] as const });
    const pipeline = new Pipeline(new MemoryPlanStore(), { maxBufferedTraces: 10 }, 'process', { readOpen });
    for (let trace = 0; trace < 30; trace++) {
      pipeline.start(trace.toString(16).padStart(32, 'a'), spanOf(tool('bad')).spanId, {}, 0);
    }
    expect(warnings.lines).toEqual(['spanplan: a span could not be learned from (RangeError)']);
  });
});

it('keeps no attribute of a span that is open when its trace leaves', async () => {
  const resource = { identity: 'process', serviceName: 'service' };
  const attributes = {
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': 'search',
    'gen_ai.tool.call.arguments': 'SECRET',
  };
  const span = Object.assign(new NumericSpan('test', resource, attributes), {
    traceId: 'a'.repeat(32),
    spanHigh: 1,
    startSeconds: 1_795_352_400,
  });
  const seen: string[] = [];
  const pipeline = new Pipeline(new MemoryPlanStore(), {}, 'process', {
    readOpen: () => span,
    assembled: ({ spans }) => seen.push(inspect(spans, { depth: 9, showHidden: true, getters: false })),
  });
  pipeline.start(span.traceId, span.spanId, {});
  await pipeline.shutdown(1_000);
  expect(seen.join()).toContain('search');
  expect(seen.join()).not.toContain('SECRET');
});

describe('options that cannot be right are refused at construction', () => {
  it.each<PipelineOptions>([
    { minOverlapMillis: -1 },
    { crossResourceOverlapMillis: Number.NaN },
    { run: 'workflow' as 'agent' },
    { agentId: ' ' },
    { maxGroups: 0 },
    { cohorts: 'some' as 'every' },
    { maxQueuedRuns: 0 },
    { idleMillis: 1_000 },
  ])('%o', (options) => {
    expect(() => new Pipeline(new MemoryPlanStore(), options)).toThrow(RangeError);
  });
});
