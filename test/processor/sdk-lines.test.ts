import {
  type Span as ApiSpan,
  context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FanoutSpanProcessor } from '../../src/fanout-span-processor.ts';
import type { Span } from '../../src/model/span.ts';
import { MemoryPlanStore } from '../../src/store/memory-plan-store.ts';
import { maximalGroups, plansOf } from '../support/maximal-groups.ts';
import { FAN_OUT, runAgent, START, startAgent, startTool } from './agent-scenario.ts';
import { DECISION, SDK_LINES } from './sdk-lines.ts';

const TRACE_ID = 'a'.repeat(32);
const PARENT_ID = 'b'.repeat(16);

/** A context as a propagator makes it of an incoming request. */
function remoteParent(traceFlags = 1) {
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId: TRACE_ID,
    spanId: PARENT_ID,
    traceFlags,
    isRemote: true,
  });
}

describe.each(SDK_LINES)('with the SDK $line', ({ provide }) => {
  let store: MemoryPlanStore;
  let processor: FanoutSpanProcessor;

  beforeEach(() => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    store = new MemoryPlanStore();
    processor = new FanoutSpanProcessor({ store });
  });

  afterEach(async () => {
    await processor.shutdown();
    context.disable();
  });

  it('learns the tools that an agent ran at the same time', async () => {
    const provider = provide(processor);
    runAgent(provider.getTracer('an-agent'), 'planner');
    await provider.forceFlush();
    const plan = (await store.load('planner'))?.plan;
    expect(plan?.parallel_groups.map((group) => group.tool_names)).toEqual([['fetch', 'search']]);
    const [run] = await store.runs('planner');
    expect(run?.calls.map((call) => call.name)).toEqual(['search', 'fetch', 'summarize']);
    expect(run?.startedAt).toEqual([START / 1_000, 0]);
    expect(processor.account).toMatchObject({ received: 4, learned: 4, buffered: 0, awaiting: 0 });
  });

  it('learns without a flush, once the last span of the trace has ended', async () => {
    const provider = provide(processor);
    const learned = new Promise<void>((resolve) => {
      store.subscribe(() => resolve());
    });
    runAgent(provider.getTracer('an-agent'), 'planner');
    await learned;
    expect(maximalGroups(await plansOf(store))).toEqual([['fetch', 'search']]);
  });

  it('follows the active context through asynchronous code', async () => {
    const provider = provide(processor);
    const tracer = provider.getTracer('an-agent');
    const tool = async (name: string, millis: number) => {
      const attributes = { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': name };
      await tracer.startActiveSpan(`execute_tool ${name}`, { attributes }, async (span: ApiSpan) => {
        await new Promise((resolve) => setTimeout(resolve, millis));
        span.end();
      });
    };
    const agent = startAgent(tracer, 'planner');
    await context.with(trace.setSpan(ROOT_CONTEXT, agent), async () => {
      await Promise.all([tool('search', 30), tool('fetch', 40)]);
      await tool('summarize', 10);
    });
    agent.end();
    await provider.forceFlush();
    expect(maximalGroups(await plansOf(store))).toEqual([['fetch', 'search']]);
  });

  it('takes a span whose parent is in another process for the root of a run', async () => {
    const provider = provide(processor);
    const tracer = provider.getTracer('an-agent');
    runAgent(tracer, 'planner', FAN_OUT, remoteParent());
    await provider.forceFlush();
    expect(maximalGroups(await plansOf(store))).toEqual([['fetch', 'search']]);
    expect(processor.account).toMatchObject({ learned: 4, buffered: 0 });
  });

  it('keeps apart what two requests of one remote trace ran, though they name the same parent', async () => {
    const provider = provide(processor);
    const tracer = provider.getTracer('an-agent');
    const attributes = (name: string) => ({
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': name,
    });
    const names = ['search', 'fetch'];
    const requests = names.map((name) =>
      tracer.startSpan(`POST /${name}`, { startTime: START }, remoteParent()),
    );
    const tools = requests.map((request, index) => {
      const parent = trace.setSpan(ROOT_CONTEXT, request);
      const options = { attributes: attributes(names[index] ?? ''), startTime: START + 10 };
      return tracer.startSpan('execute_tool', options, parent);
    });
    for (const span of [...tools, ...requests]) span.end(START + 100);
    await provider.forceFlush();
    expect(await plansOf(store)).toEqual({});
    expect(processor.account).toMatchObject({ received: 4, buffered: 0, awaiting: 0 });
  });

  it('shows a convention the same of a span as every other line does', async () => {
    const seen: Span[] = [];
    const convention = {
      name: 'looking',
      source: 'this test',
      attributes: ['looked.at'],
      recognise: (span: Span) => {
        seen.push(span);
        return undefined;
      },
    };
    const provider = provide(new FanoutSpanProcessor({ store, conventions: [convention] }));
    const tracer = provider.getTracer('a-scope');
    const options = { kind: SpanKind.CLIENT, attributes: { 'looked.at': [1, 2] }, startTime: START };
    const called = tracer.startSpan('called', options, remoteParent());
    const inner = tracer.startSpan('inner', { startTime: START }, trace.setSpan(ROOT_CONTEXT, called));
    const root = tracer.startSpan('root', { startTime: START }, ROOT_CONTEXT);
    inner.setStatus({ code: SpanStatusCode.ERROR });
    for (const span of [called, inner, root]) span.end(START + 5);
    await provider.shutdown();

    const time = [START / 1_000, 0];
    const shared = { start: time, end: [START / 1_000, 5_000_000], scopeName: 'a-scope', isError: false };
    const ids = (span: ApiSpan) => ({
      traceId: span.spanContext().traceId,
      spanId: span.spanContext().spanId,
    });
    expect(seen).toMatchObject([
      {
        ...shared,
        ...ids(called),
        name: 'called',
        kind: 3,
        parentSpanId: PARENT_ID,
        parentIsRemote: true,
        attributes: { 'looked.at': [1, 2] },
      },
      {
        ...shared,
        ...ids(inner),
        name: 'inner',
        kind: 1,
        parentSpanId: called.spanContext().spanId,
        isError: true,
      },
      { ...shared, ...ids(root), name: 'root', kind: 1 },
    ]);
    expect(seen.map((span) => span.parentIsRemote === true)).toEqual([true, false, false]);
    expect(seen[2]?.parentSpanId).toBeUndefined();
    expect(seen[0]?.resource).toBe(seen[1]?.resource);
    expect(seen[0]?.resource.serviceName).toMatch(/^unknown_service/);
  });

  it('learns spans that are recorded but not sampled', async () => {
    const provider = provide(processor, () => DECISION.record);
    runAgent(provider.getTracer('an-agent'), 'planner');
    await provider.forceFlush();
    expect(maximalGroups(await plansOf(store))).toEqual([['fetch', 'search']]);
  });

  it('learns a sampled agent below a root that is not sampled', async () => {
    const provider = provide(processor, (_, name) =>
      name.startsWith('POST') ? DECISION.drop : DECISION.recordAndSample,
    );
    const tracer = provider.getTracer('an-agent');
    const request = tracer.startSpan('POST /ask', {}, ROOT_CONTEXT);
    expect(request.isRecording()).toBe(false);
    runAgent(tracer, 'planner', FAN_OUT, trace.setSpan(ROOT_CONTEXT, request));
    request.end();
    await provider.forceFlush();
    expect(maximalGroups(await plansOf(store))).toEqual([['fetch', 'search']]);
    expect(processor.account.buffered).toBe(0);
  });

  it('learns nothing of spans that are dropped, and holds nothing of them', async () => {
    const provider = provide(processor, () => DECISION.drop);
    runAgent(provider.getTracer('an-agent'), 'planner');
    await provider.forceFlush();
    expect(await plansOf(store)).toEqual({});
    expect(processor.account.received).toBe(0);
  });

  it('names every agent as the option agentId says', async () => {
    const provider = provide(new FanoutSpanProcessor({ store, agentId: 'the-one' }));
    runAgent(provider.getTracer('an-agent'), 'planner');
    await provider.shutdown();
    expect(Object.keys(await plansOf(store))).toEqual(['the-one']);
  });

  describe('forceFlush', () => {
    it('leaves a trace with an open span until that has ended', async () => {
      const provider = provide(processor);
      const tracer = provider.getTracer('an-agent');
      const agent = startAgent(tracer, 'planner');
      startTool(tracer, 'search', agent, 10).end(START + 60);
      await provider.forceFlush();
      expect(await store.agents()).toEqual([]);
      expect(processor.account.buffered).toBe(1);

      startTool(tracer, 'fetch', agent, 20).end(START + 50);
      agent.end(START + 100);
      await provider.forceFlush();
      expect(maximalGroups(await plansOf(store))).toEqual([['fetch', 'search']]);
      expect(await store.runs('planner')).toHaveLength(1);
    });

    it('writes the request that is done while another one goes on', async () => {
      const provider = provide(processor);
      const tracer = provider.getTracer('an-agent');
      const slow = startAgent(tracer, 'slow');
      runAgent(tracer, 'quick');
      await provider.forceFlush();
      expect(await store.agents()).toEqual(['quick']);
      slow.end(START + 100);
    });

    it('is cheap and harmless when there is nothing to do', async () => {
      const provider = provide(processor);
      await Promise.all([provider.forceFlush(), provider.forceFlush(), processor.forceFlush()]);
      expect(processor.account.received).toBe(0);
    });
  });

  describe('shutdown', () => {
    it('takes spans that never ended for calls without an end', async () => {
      const provider = provide(processor);
      const tracer = provider.getTracer('an-agent');
      const agent = startAgent(tracer, 'planner');
      startTool(tracer, 'search', agent, 10).end(START + 60);
      startTool(tracer, 'fetch', agent, 20);
      await provider.shutdown();
      const [run] = await store.runs('planner');
      expect(run?.calls.map(({ name, endedAt }) => [name, endedAt !== undefined])).toEqual([
        ['search', true],
        ['fetch', false],
      ]);
      expect(run?.endedAt).toBeUndefined();
      // A call without an end is no evidence of anything running at the same time.
      expect(await plansOf(store)).toEqual({});
    });

    it('returns one promise, however often it is asked', async () => {
      const provider = provide(processor);
      runAgent(provider.getTracer('an-agent'), 'planner');
      const first = processor.shutdown();
      expect(processor.shutdown()).toBe(first);
      await provider.shutdown();
      expect(processor.shutdown()).toBe(first);
      expect(await store.agents()).toEqual(['planner']);
    });

    it('makes everything after it do nothing', async () => {
      const provider = provide(processor);
      const tracer = provider.getTracer('an-agent');
      const open = startAgent(tracer, 'open');
      startTool(tracer, 'search', open, 10).end(START + 60);
      await processor.shutdown();
      const before = processor.account;
      open.end(START + 100);
      runAgent(tracer, 'late');
      await processor.forceFlush();
      expect(processor.account).toEqual(before);
      expect(await store.agents()).toEqual(['open']);
      expect((await store.runs('open'))[0]?.endedAt).toBeUndefined();
    });

    it('leaves the store that it was given open', async () => {
      await processor.shutdown();
      expect(await store.agents()).toEqual([]);
    });
  });
});
