import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ROOT_CONTEXT, type Span } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import { FanoutSpanProcessor } from '../../src/fanout-span-processor.ts';
import type { SdkSpan } from '../../src/source/sdk-span.ts';
import { MemoryPlanStore } from '../../src/store/memory-plan-store.ts';
import { maximalGroups, plansOf } from '../support/maximal-groups.ts';
import { replayedSpans } from '../support/replay.ts';
import { runAgent, START, startAgent, startTool } from './agent-scenario.ts';
import { LATEST, SDK_LINES } from './sdk-lines.ts';

// What the processor leaves alone: the spans of other processors' exporters, and the memory of the host.

describe('a span is never changed', () => {
  it('not even tried to be: one on which every write throws is learned like any other', async () => {
    const store = new MemoryPlanStore();
    const processor = new FanoutSpanProcessor({ store });
    const writes: string[] = [];
    for (const span of replayedSpans('ai6-parallel', '2.x')) {
      span.begin(processor);
      span.finish({ onEnd: (live: SdkSpan) => processor.onEnd(readOnly(live, writes)) });
    }
    await processor.shutdown();
    expect(writes).toEqual([]);
    expect(maximalGroups(await plansOf(store))).toEqual([['fetch', 'search', 'weather']]);
  });

  it.each(SDK_LINES)('neither by start, end, flush nor shutdown, in the SDK $line', async ({ provide }) => {
    const processor = new FanoutSpanProcessor({ store: new MemoryPlanStore() });
    const provider = provide(processor);
    const tracer = provider.getTracer('an-agent');
    const agent = startAgent(tracer, 'planner');
    const tool = startTool(tracer, 'search', agent, 10, { list: ['a', 'b'] });
    tool.addEvent('happened', { key: 1 }, START + 20);
    // Whoever reads these first makes the SDK note in the resource what it made of them.
    expect((tool as unknown as SdkSpan).resource.attributes).toBeDefined();
    const whileOpen = contentOf(tool);
    await processor.forceFlush();
    expect(contentOf(tool)).toEqual(whileOpen);
    tool.end(START + 60);
    const afterEnd = contentOf(tool);
    agent.end(START + 100);
    await processor.shutdown();
    expect(contentOf(tool)).toEqual(afterEnd);
    expect(afterEnd).toContain('"happened"');
  });
});

describe('memory', () => {
  it('holds no ended span, though its trace goes on', async () => {
    const processor = new FanoutSpanProcessor({ store: new MemoryPlanStore() });
    const ended = endOneInAnOpenTrace(processor);
    await collectGarbage();
    expect(ended.deref()).toBeUndefined();
    expect(processor.account.buffered).toBe(1);
    await processor.shutdown();
  });

  it('holds a span that never ends only until shutdown', async () => {
    const processor = new FanoutSpanProcessor({ store: new MemoryPlanStore() });
    const open = startOneThatNeverEnds(processor);
    await collectGarbage();
    expect(open.deref()).toBeDefined();
    await processor.shutdown();
    await collectGarbage();
    expect(open.deref()).toBeUndefined();
  });

  it('holds as many traces with spans that never end as it may, and learns on', async () => {
    const store = new MemoryPlanStore();
    const processor = new FanoutSpanProcessor({ store, maxBufferedTraces: 100 });
    const tracer = LATEST.provide(processor).getTracer('an-agent');
    const leaked = Array.from({ length: 1_000 }, () => new WeakRef(startAgent(tracer, 'leaky')));
    await collectGarbage();
    expect(leaked.filter((span) => span.deref() !== undefined).length).toBeLessThanOrEqual(100);
    runAgent(tracer, 'planner');
    await processor.shutdown();
    expect(maximalGroups(await plansOf(store))).toEqual([['fetch', 'search']]);
  });

  it('does not keep the process from ending', () => {
    const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const processor = new FanoutSpanProcessor({ store: new MemoryPlanStore() });
    const tracer = LATEST.provide(processor).getTracer('an-agent');
    startAgent(tracer, 'planner');
    expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout')).toHaveLength(before);
  });
});

/** The same span for whoever reads it; whoever writes is noted, and stopped. */
function readOnly<Value extends object>(value: Value, writes: string[]): Value {
  const refuse = (what: string) => (_: object, key: PropertyKey) => {
    writes.push(`${what} ${String(key)}`);
    return false;
  };
  return new Proxy<Value>(value, {
    set: refuse('set'),
    defineProperty: refuse('define'),
    deleteProperty: refuse('delete'),
    setPrototypeOf: () => false,
    preventExtensions: () => false,
    get(target, key) {
      const property = Reflect.get(target, key, target);
      return isObject(property) ? readOnly(property, writes) : property;
    },
  });
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** All that an exporter would read, and every field beside it that can be written as JSON. */
function contentOf(span: Span): string {
  const seen = new WeakSet();
  return JSON.stringify(span, (key, value: unknown) => {
    if (key.startsWith('_spanProcessor') || key === '_activeSpanProcessor') return undefined;
    if (typeof value !== 'object' || value === null) return value;
    if (seen.has(value)) return '(seen)';
    seen.add(value);
    return value;
  });
}

function endOneInAnOpenTrace(processor: FanoutSpanProcessor): WeakRef<Span> {
  const tracer = LATEST.provide(processor).getTracer('an-agent');
  const agent = startAgent(tracer, 'planner', ROOT_CONTEXT);
  const tool = startTool(tracer, 'search', agent, 10);
  tool.end(START + 20);
  return new WeakRef(tool);
}

function startOneThatNeverEnds(processor: FanoutSpanProcessor): WeakRef<Span> {
  return new WeakRef(startAgent(LATEST.provide(processor).getTracer('an-agent'), 'planner'));
}

/** A WeakRef lives until the turn of the loop ends, and some garbage takes two rounds. */
async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  for (let round = 0; round < 3; round++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
}
