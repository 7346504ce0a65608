import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FanoutSpanProcessor } from '../src/fanout-span-processor.ts';
import { cohortOf, isContained } from '../src/model/cohort.ts';
import { PlanReader } from '../src/plan-reader.ts';
import { MemoryPlanStore } from '../src/store/memory-plan-store.ts';
import { type PlanStore, StoreError } from '../src/store/plan-store.ts';
import { RedisPlanStore } from '../src/store/redis-plan-store.ts';
import { runAgent } from './processor/agent-scenario.ts';
import { LATEST } from './processor/sdk-lines.ts';
import { ManualClock } from './support/manual-clock.ts';
import { freshPrefix, redisUrl } from './support/redis.ts';
import { startRedisServer } from './support/redis-server.ts';

const MAX_AGE = 30_000;
const RETRY = 1_000;

/** Teaches a store that these tools of the agent ran at the same time, each time in a run of its own. */
async function teach(
  store: PlanStore,
  agentId: string,
  ...groups: readonly (readonly string[])[]
): Promise<void> {
  await store.apply(
    agentId,
    groups.map((names) => ({
      runId: crypto.randomUUID(),
      revision: 1,
      run: undefined,
      endedAt: [1, 0],
      cohorts: [cohortOf(names)],
    })),
  );
}

/** A store in front of another, that counts reads and goes away when told to. */
function gated(store: PlanStore) {
  const gate = { reads: 0, isAway: false, wait: Promise.resolve() };
  const load = async (agentId: string) => {
    gate.reads++;
    const stored = gate.isAway ? undefined : await store.load(agentId);
    await gate.wait;
    if (gate.isAway) throw new StoreError('unavailable', 'the store is away');
    return stored;
  };
  const front = new Proxy(store, {
    get(target, key) {
      if (key === 'load') return load;
      const member: unknown = Reflect.get(target, key, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  return { gate, front };
}

/** Holds back answers of the store, which reads all the same. @returns what lets them go. */
function hold(gate: { wait: Promise<void> }): () => void {
  let release = () => {};
  gate.wait = new Promise((resolve) => {
    release = () => {
      gate.wait = Promise.resolve();
      resolve();
    };
  });
  return release;
}

async function groupNames(reader: PlanReader, agentId = 'planner'): Promise<readonly (readonly string[])[]> {
  const plan = await reader.get(agentId);
  return (plan?.parallel_groups ?? []).map((group) => [...group.tool_names]).sort();
}

const STORES: readonly (readonly [string, () => PlanStore])[] = [
  ['memory', () => new MemoryPlanStore()],
  ['Redis', () => new RedisPlanStore({ url: redisUrl(), keyPrefix: freshPrefix() })],
];

describe.each(STORES)('a reader on %s', (_, makeStore) => {
  let store: PlanStore;
  let gate: ReturnType<typeof gated>['gate'];
  let clock: ManualClock;
  let reader: PlanReader;

  beforeEach(() => {
    store = makeStore();
    clock = new ManualClock();
    const { front, gate: made } = gated(store);
    gate = made;
    reader = new PlanReader({ store: front, clock, maxAgeMillis: MAX_AGE });
  });

  afterEach(async () => {
    await reader.close();
    await store.close();
  });

  it('answers what stands in the store', async () => {
    await teach(store, 'planner', ['fetch', 'search'], ['fetch', 'fetch', 'weather']);
    await teach(store, 'writer', ['draft', 'review']);
    expect(await reader.get('planner')).toEqual((await store.load('planner'))?.plan);
    expect(await reader.agents()).toEqual(['planner', 'writer']);
    const weather = await reader.groupsFor('planner', 'weather');
    expect(weather.map((group) => group.tool_names)).toEqual([['fetch', 'fetch', 'weather']]);
    expect(await reader.groupsFor('planner', 'fetch')).toHaveLength(2);
    expect(await reader.groupsFor('planner', 'draft')).toEqual([]);
  });

  it('says of tools that they can run together where they lie inside one group, as often as it has them', async () => {
    await teach(store, 'planner', ['fetch', 'search'], ['fetch', 'fetch', 'weather']);
    const can = (...names: readonly string[]) => reader.canRunTogether('planner', names);
    expect(await can('search', 'fetch')).toBe(true);
    expect(await can('fetch', 'fetch')).toBe(true);
    expect(await can('weather', 'fetch', 'fetch')).toBe(true);
    expect(await can('search')).toBe(true);
    expect(await can()).toBe(true);
    expect(await can('fetch', 'fetch', 'fetch')).toBe(false);
    expect(await can('search', 'weather')).toBe(false);
    expect(await can('search', 'search')).toBe(false);
    expect(await can('unknown')).toBe(false);
  });

  it('knows nothing of an agent without a plan: every tool runs alone', async () => {
    expect(await reader.get('nobody')).toBeUndefined();
    expect(await reader.groupsFor('nobody', 'search')).toEqual([]);
    expect(await reader.canRunTogether('nobody', ['search'])).toBe(false);
    expect(await reader.canRunTogether('nobody', [])).toBe(true);
    expect(await reader.partition('nobody', ['search', 'fetch'])).toEqual([['search'], ['fetch']]);
  });

  it('reads a plan once, however often and however many at once ask', async () => {
    await teach(store, 'planner', ['fetch', 'search']);
    await Promise.all(Array.from({ length: 20 }, () => reader.get('planner')));
    await reader.partition('planner', ['search', 'fetch']);
    expect(gate.reads).toBe(1);
  });

  it('answers with the new plan at once, on the store object that learned it', async () => {
    const processor = new FanoutSpanProcessor({ store });
    const provider = LATEST.provide(processor);
    const direct = new PlanReader({ store: processor.store });
    expect(await direct.get('planner')).toBeUndefined();
    runAgent(provider.getTracer('an-agent'), 'planner');
    await provider.forceFlush();
    expect(await groupNames(direct)).toEqual([['fetch', 'search']]);
    await teach(store, 'planner', ['a', 'b']);
    expect(await groupNames(direct)).toEqual([
      ['a', 'b'],
      ['fetch', 'search'],
    ]);
    await store.forget('planner');
    expect(await direct.get('planner')).toBeUndefined();
    await direct.close();
    await provider.shutdown();
  });

  it('does not lose a change that comes while it reads', async () => {
    await teach(store, 'planner', ['fetch', 'search']);
    const release = hold(gate);
    const first = reader.get('planner');
    await teach(store, 'planner', ['a', 'b']);
    release();
    await first;
    expect(await groupNames(reader)).toHaveLength(2);
  });

  it('does not lose a change that comes while it reads an old plan again', async () => {
    await teach(store, 'planner', ['fetch', 'search']);
    await reader.get('planner');
    clock.advance(MAX_AGE);
    const release = hold(gate);
    await reader.get('planner');
    await until(() => gate.reads === 2);
    await store.load('planner'); // the reader's own read has been answered by then, and is held back
    await teach(store, 'planner', ['a', 'b']);
    release();
    await new Promise((later) => setTimeout(later, 10));
    expect(await groupNames(reader)).toHaveLength(2);
  });

  it('reads again in the background once a plan is older than maxAgeMillis', async () => {
    await teach(store, 'planner', ['fetch', 'search']);
    await reader.get('planner');
    clock.advance(MAX_AGE - 1);
    await reader.get('planner');
    expect(gate.reads).toBe(1);
    clock.advance(1);
    await reader.get('planner');
    await reader.get('planner');
    expect(gate.reads).toBe(2);
  });

  it('waits for the new plan where nobody asked for a long time, since it may have missed a change', async () => {
    await teach(store, 'planner', ['fetch', 'search']);
    const before = await reader.get('planner');
    clock.advance(2 * MAX_AGE);
    let isAnswered = false;
    const release = hold(gate);
    const asked = reader.get('planner').then((plan) => {
      isAnswered = true;
      return plan;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isAnswered).toBe(false);
    release();
    expect(await asked).toEqual(before);
  });

  it('keeps no more plans than it may', async () => {
    const { front, gate: counting } = gated(store);
    const reading = new PlanReader({ store: front, clock, maxCachedAgents: 2 });
    for (const agent of ['a', 'b', 'c', 'c', 'b']) await reading.get(agent);
    expect(counting.reads).toBe(3);
    await reading.get('a');
    expect(counting.reads).toBe(4);
    await reading.close();
  });

  describe('while the store is away', () => {
    it('serves the last known plan to all who ask, and says so', async () => {
      await teach(store, 'planner', ['fetch', 'search']);
      await reader.get('planner');
      expect(reader.status).toEqual({ isStale: false });
      gate.isAway = true;
      await teach(store, 'planner', ['a', 'b']);
      const all = await Promise.all(Array.from({ length: 5 }, () => groupNames(reader)));
      expect(all).toEqual(Array.from({ length: 5 }, () => [['fetch', 'search']]));
      expect(reader.status).toMatchObject({ isStale: true, error: { code: 'unavailable' } });
    });

    it('does not ask for each call, but every second', async () => {
      await teach(store, 'planner', ['fetch', 'search']);
      await reader.get('planner');
      gate.isAway = true;
      clock.advance(MAX_AGE);
      for (let count = 0; count < 10; count++) await reader.get('planner');
      expect(gate.reads).toBe(2);
      clock.advance(RETRY);
      await reader.get('planner');
      expect(gate.reads).toBe(3);
    });

    it('does not ask for each call either after a change of which it heard', async () => {
      await teach(store, 'planner', ['fetch', 'search']);
      await reader.get('planner');
      gate.isAway = true;
      await teach(store, 'planner', ['a', 'b']);
      const release = hold(gate);
      const asked = reader.get('planner');
      await teach(store, 'planner', ['c', 'd']); // heard of while it waits for the store
      release();
      await asked;
      for (let count = 0; count < 10; count++) await reader.get('planner');
      expect(gate.reads).toBe(2);
    });

    it('has the new plan, and says so, soon after the store is back', async () => {
      await teach(store, 'planner', ['fetch', 'search']);
      await reader.get('planner');
      gate.isAway = true;
      await teach(store, 'planner', ['a', 'b']);
      await reader.get('planner');
      gate.isAway = false;
      clock.advance(RETRY);
      await until(async () => (await groupNames(reader)).length === 2);
      expect(reader.status).toEqual({ isStale: false });
    });

    it('rejects for an agent of which it knows nothing, and asks again the next time', async () => {
      await teach(store, 'planner', ['fetch', 'search']);
      gate.isAway = true;
      const asked = await Promise.allSettled([reader.get('planner'), reader.get('planner')]);
      expect(asked.map((answer) => answer.status)).toEqual(['rejected', 'rejected']);
      await expect(reader.get('planner')).rejects.toMatchObject({ code: 'unavailable' });
      gate.isAway = false;
      expect(await groupNames(reader)).toEqual([['fetch', 'search']]);
    });
  });

  it('tells of changes until it is told not to', async () => {
    const told: string[] = [];
    const stop = reader.subscribe(({ agentId }) => told.push(agentId));
    await until(async () => {
      await teach(store, 'planner', [crypto.randomUUID(), 'b']);
      return told.length > 0;
    });
    expect(new Set(told)).toEqual(new Set(['planner']));
    stop();
    const before = told.length;
    await teach(store, 'planner', ['c', 'd']);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(told).toHaveLength(before);
  });

  it('tells of no change any more once it is closed, nor asks to be told', async () => {
    let listeners = 0;
    const counting = new Proxy(store, {
      get(target, key) {
        const member: unknown = Reflect.get(target, key, target);
        if (key !== 'subscribe') return typeof member === 'function' ? member.bind(target) : member;
        return (...given: Parameters<PlanStore['subscribe']>) => {
          const unsubscribe = target.subscribe(...given);
          listeners++;
          return () => {
            listeners--;
            unsubscribe();
          };
        };
      },
    });
    const closing = new PlanReader({ store: counting });
    closing.subscribe(() => {});
    await closing.get('planner');
    expect(listeners).toBe(2);
    await closing.close();
    expect(listeners).toBe(0);
  });

  it('leaves a store that it was given open', async () => {
    await reader.get('planner');
    await reader.close();
    await reader.close();
    expect(await store.agents()).toEqual([]);
  });
});

it('a reader serves the last known plan while Redis itself is away', async () => {
  const server = await startRedisServer();
  const store = new RedisPlanStore({ url: server.url });
  await teach(store, 'planner', ['fetch', 'search']);
  const reader = new PlanReader({ store: server.url, maxAgeMillis: 1 });
  expect(await groupNames(reader)).toEqual([['fetch', 'search']]);
  await server.stop();
  await until(async () => {
    expect(await groupNames(reader)).toEqual([['fetch', 'search']]);
    return reader.status.isStale;
  });
  await Promise.all([reader.close(), store.close()]);
  await server.dispose();
}, 30_000);

it('a reader sees what another process learned into Redis', async () => {
  const keyPrefix = freshPrefix();
  const writer = new RedisPlanStore({ url: redisUrl(), keyPrefix });
  const reader = new PlanReader({ store: redisUrl(), keyPrefix });
  await teach(writer, 'planner', ['fetch', 'search']);
  expect(await groupNames(reader)).toEqual([['fetch', 'search']]);
  await until(async () => {
    await teach(writer, 'planner', [crypto.randomUUID(), 'b']);
    return (await groupNames(reader)).length > 1;
  });
  await Promise.all([reader.close(), writer.close()]);
}, 30_000);

it.each([{ maxAgeMillis: 0 }, { maxAgeMillis: Number.NaN }, { maxCachedAgents: -1 }])(
  'a reader refuses %o at construction',
  (options) => {
    expect(() => new PlanReader({ store: 'memory:', ...options })).toThrow(Object.keys(options)[0]);
  },
);

describe('partition', () => {
  const tool = fc.constantFrom('a', 'b', 'c', 'd');
  const groups = fc.array(fc.array(tool, { minLength: 2, maxLength: 5 }), { maxLength: 6 });
  const calls = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'unknown'), { maxLength: 20 });

  it('keeps the order, batches only what lies inside a group, and batches as much as it can', async () => {
    await fc.assert(
      fc.asyncProperty(groups, calls, async (known, names) => {
        const store = new MemoryPlanStore();
        await teach(store, 'planner', ...known);
        const reader = new PlanReader({ store });
        const batches = await reader.partition('planner', names);

        expect(batches.flat()).toEqual(names);
        const fits = (batch: readonly string[]) =>
          known.some((group) => isContained(cohortOf(batch).names, cohortOf(group).names));
        batches.forEach((batch, index) => {
          expect(batch.length).toBeGreaterThan(0);
          if (batch.length > 1) expect(fits(batch)).toBe(true);
          if (batch.includes('unknown')) expect(batch).toEqual(['unknown']);
          const next = batches[index + 1]?.[0];
          if (next !== undefined) expect(fits([...batch, next])).toBe(false);
        });
      }),
    );
  });

  it('agrees with canRunTogether', async () => {
    await fc.assert(
      fc.asyncProperty(groups, calls, async (known, names) => {
        const store = new MemoryPlanStore();
        await teach(store, 'planner', ...known);
        const reader = new PlanReader({ store });
        const isOneBatch = (await reader.partition('planner', names)).length <= 1;
        const isLoneUnknown = names.length === 1 && !known.flat().some((name) => name === names[0]);
        expect(isOneBatch).toBe(isLoneUnknown || (await reader.canRunTogether('planner', names)));
      }),
    );
  });

  it('gives back the very calls it was given', async () => {
    const store = new MemoryPlanStore();
    await teach(store, 'planner', ['search', 'search']);
    const reader = new PlanReader({ store });
    const first = { name: 'search', input: 1 };
    const second = { name: 'search', input: 2 };
    const [batch] = await reader.partition('planner', [first, second]);
    expect(batch?.[0]).toBe(first);
    expect(batch?.[1]).toBe(second);
  });
});

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (await isTrue()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('it did not come about within 6 seconds');
}
