import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { compareTimes } from '../../src/model/time.ts';
import { LmdbPlanStore } from '../../src/store/lmdb-plan-store.ts';
import { MemoryPlanStore } from '../../src/store/memory-plan-store.ts';
import type { PlanStore, RunChange } from '../../src/store/plan-store.ts';
import { RedisPlanStore } from '../../src/store/redis-plan-store.ts';
import { freshPrefix, redisClient, redisUrl } from '../support/redis.ts';
import { change, withdrawal } from './changes.ts';

const directory = mkdtempSync(join(tmpdir(), 'spanplan-property-'));
const redis = redisClient();
afterAll(() => {
  redis.disconnect();
  rmSync(directory, { recursive: true });
});
let places = 0;
const stores: Record<string, () => PlanStore> = {
  memory: () => new MemoryPlanStore(),
  lmdb: () => new LmdbPlanStore({ path: join(directory, String(places++)) }),
  redis: () => new RedisPlanStore({ url: redisUrl(), keyPrefix: freshPrefix() }),
};

/** Few names and runs, so that they meet often; ids of groups never collide among these names. */
const tool = fc.constantFrom('a', 'b', 'c', 'ü', '😀');
const group = fc.array(tool, { minLength: 2, maxLength: 3 });
/** The revisions of one run, in order; the last may withdraw it. */
const history = fc.record({
  revisions: fc.array(
    fc.record({ groups: fc.array(group, { maxLength: 3 }), at: fc.integer({ min: 0, max: 9 }) }),
    {
      minLength: 1,
      maxLength: 3,
    },
  ),
  isWithdrawn: fc.boolean(),
});

interface Scenario {
  /** Batches of changes in the order of delivery. */
  readonly deliveries: readonly (readonly RunChange[])[];
  /** What a store that saw each run's last revision only, in order of time, would have been given. */
  readonly final: readonly RunChange[];
}

const scenario: fc.Arbitrary<Scenario> = fc.array(history, { minLength: 1, maxLength: 6 }).chain((runs) => {
  const all = runs.flatMap(({ revisions, isWithdrawn }, r) => {
    const changes = revisions.map(({ groups, at }, i) =>
      change(`run${r}`, distinct(groups), { revision: i + 1, at }),
    );
    return isWithdrawn ? [...changes, withdrawal(`run${r}`, revisions.length + 1)] : changes;
  });
  const last = new Map(all.map((each) => [each.runId, each]));
  const final = [...last.values()]
    .filter((each) => each.run !== undefined)
    .sort((a, b) => compareTimes(a.endedAt, b.endedAt) || (a.runId < b.runId ? -1 : 1));
  // Everything at least once, some of it twice, in any order, in batches of any size.
  return fc
    .tuple(fc.subarray(all), fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 40, maxLength: 40 }))
    .chain(([again, sizes]) =>
      fc.shuffledSubarray([...all, ...again], { minLength: all.length + again.length }).map((order) => {
        const deliveries: RunChange[][] = [];
        for (let i = 0; i < order.length; ) {
          const size = sizes[deliveries.length] ?? 1;
          deliveries.push(order.slice(i, i + size));
          i += size;
        }
        return { deliveries, final };
      }),
    );
});

function distinct(groups: readonly (readonly string[])[]): readonly (readonly string[])[] {
  return [...new Map(groups.map((names) => [[...names].sort().join(), names])).values()];
}

/** All that can be seen of an agent but the revision, which counts the steps on the way. */
async function stateOf(store: PlanStore) {
  const runs = await store.runs('planner');
  return {
    plan: (await store.load('planner'))?.plan,
    support: await store.support('planner'),
    runs: [...runs].sort((a, b) => (a.id < b.id ? -1 : 1)),
  };
}

describe('any order, repetition, batching and amendment of the same runs', () => {
  it.each([
    ['memory', 400],
    ['lmdb', 25],
    ['redis', 60],
  ])('ends in the state of the last revisions applied in order of time: %s', async (name, numRuns) => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ deliveries, final }) => {
        const expected = new MemoryPlanStore();
        for (const each of final) await expected.apply('planner', [each]);
        const store = stores[name]?.() ?? expected;
        for (const batch of deliveries) await store.apply('planner', batch);
        const state = await stateOf(store);
        await store.close();
        expect(state).toEqual(await stateOf(expected));
      }),
      { numRuns },
    );
  });

  it('gives the same from several writers at once', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ deliveries, final }) => {
        const keyPrefix = freshPrefix();
        const writers = [1, 2, 3].map(() => new RedisPlanStore({ url: redisUrl(), keyPrefix }));
        await Promise.all(deliveries.map((batch, i) => writers[i % 3]?.apply('planner', batch)));
        const expected = new MemoryPlanStore();
        for (const each of final) await expected.apply('planner', [each]);
        const [reader] = writers;
        if (reader !== undefined) expect(await stateOf(reader)).toEqual(await stateOf(expected));
        for (const writer of writers) await writer.close();
      }),
      { numRuns: 40 },
    );
  });

  it('keeps what another runtime writes in between, and gives our groups back', async () => {
    const theirs = { group_id: 'zz', tool_names: ['x', 'y'], note: 1 };
    const hint = { tool_name: 'x', group_id: 'zz', explicit: true };
    await fc.assert(
      fc.asyncProperty(
        scenario,
        fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }),
        async ({ deliveries, final }, overwrites) => {
          const keyPrefix = freshPrefix();
          const store = new RedisPlanStore({ url: redisUrl(), keyPrefix });
          const foreign = JSON.stringify({
            agent_id: 'planner',
            parallel_groups: [theirs],
            metadata_template: {
              run_id: 't',
              agent_id: 'planner',
              parallel_hints: [hint],
              extensions: { e: [1] },
            },
            unknown: { kept: true },
          });
          for (const [i, batch] of deliveries.entries()) {
            if (i === 0 || overwrites[i]) await redis.set(`${keyPrefix}plan:planner`, foreign);
            await store.apply('planner', batch);
          }
          await store.apply('planner', [change('last', [['p', 'q']], { at: 99 })]);
          const expected = new MemoryPlanStore();
          for (const each of final) await expected.apply('planner', [each]);
          await expected.apply('planner', [change('last', [['p', 'q']], { at: 99 })]);
          const plan = (await store.load('planner'))?.plan;
          const support = await store.support('planner');
          await store.close();
          expect(plan).toMatchObject({
            unknown: { kept: true },
            metadata_template: { run_id: 'last', extensions: { e: [1] } },
          });
          expect(plan?.parallel_groups).toEqual([
            ...((await expected.load('planner'))?.plan.parallel_groups ?? []),
            theirs,
          ]);
          expect(plan?.metadata_template.parallel_hints).toContainEqual(hint);
          expect(support).toEqual(await expected.support('planner'));
        },
      ),
      { numRuns: 40 },
    );
  });
});
