import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { ExecutionPlan } from '../../src/model/execution-plan.ts';
import { formatRunRecord, parseRunRecord } from '../../src/model/run-record-json.ts';
import type { StoreLimits } from '../../src/store/limits.ts';
import type { PlanChange, PlanStore } from '../../src/store/plan-store.ts';
import { timeFromMillis } from '../support/times.ts';
import { change, learned, withdrawal } from './changes.ts';
import { groupNames } from './group-names.ts';

/** One kind of store under test. */
export interface StoreUnderTest {
  /** Prepares a place of its own for one test; every store made from it until the next call shares it. */
  readonly fresh: () => Promise<void> | void;
  /** Another store object on that place, as another process would make it; closed by the suite. */
  readonly make: (options?: ContractOptions) => PlanStore;
  /** Whether what one object writes another one reads. */
  readonly isShared: boolean;
  readonly dispose?: () => Promise<void>;
}

type ContractOptions = Partial<StoreLimits> & { readonly now?: () => number };

interface VectorCase {
  readonly agent_id: string;
  readonly runs: readonly unknown[];
  readonly plan: ExecutionPlan | null;
}

const vectors = JSON.parse(
  readFileSync(new URL('../fixtures/vectors/nemo-flow-0.2.0-plans.json', import.meta.url), 'utf8'),
) as readonly VectorCase[];

/** What every store must do, whatever it is made of. */
export function describePlanStore(
  name: string,
  prepare: () => Promise<StoreUnderTest> | StoreUnderTest,
): void {
  describe(name, () => {
    let kind: StoreUnderTest;
    let store: PlanStore;
    const make = (options?: ContractOptions) => {
      const made = kind.make(options);
      onTestFinished(() => made.close());
      return made;
    };
    const groupsOf = async (of = store) => groupNames((await of.load('planner'))?.plan);

    beforeAll(async () => {
      kind = await prepare();
    });
    afterAll(() => kind.dispose?.());
    beforeEach(async () => {
      await kind.fresh();
      store = make();
    });

    describe('plans', () => {
      it('knows nothing at first', async () => {
        expect(await store.load('planner')).toBeUndefined();
        expect(await store.agents()).toEqual([]);
        expect(await store.runs('planner')).toEqual([]);
        expect(await store.support('planner')).toEqual([]);
      });

      it('answers with the plan at once', async () => {
        const outcome = await store.apply('planner', [change('r1', [['search', 'fetch']])]);
        expect(outcome).toEqual({
          applied: 1,
          duplicates: 0,
          duplicateRunIds: [],
          groupsAdded: 1,
          groupsRemoved: 0,
          groupsCompacted: 0,
          groupsEvicted: 0,
          revision: 1,
          conflicts: 0,
        });
        expect(await store.load('planner')).toEqual({
          revision: 1,
          plan: {
            agent_id: 'planner',
            parallel_groups: [{ group_id: 'fanout:sha256:98257', tool_names: ['fetch', 'search'] }],
            metadata_template: {
              run_id: 'r1',
              agent_id: 'planner',
              parallel_hints: [
                { tool_name: 'fetch', group_id: 'fanout:sha256:98257', explicit: false },
                { tool_name: 'search', group_id: 'fanout:sha256:98257', explicit: false },
              ],
              extensions: {},
            },
          },
        });
      });

      it('makes no plan of runs without groups, but knows the agent', async () => {
        await store.apply('planner', [change('r1', [])]);
        expect(await store.load('planner')).toBeUndefined();
        expect(await store.agents()).toEqual(['planner']);
      });

      it('names the contributing run that ended last, whatever order runs come in', async () => {
        await store.apply('planner', [change('early', [['a', 'b']], { at: 10 })]);
        await store.apply('planner', [change('late', [['a', 'b']], { at: 30 })]);
        await store.apply('planner', [change('middle', [['a', 'b']], { at: 20 })]);
        await store.apply('planner', [change('nothing', [], { at: 40 })]);
        const stored = await store.load('planner');
        expect(stored?.plan.metadata_template.run_id).toBe('late');
        expect(stored?.revision).toBe(1);
      });

      it('takes the greater id of two runs that ended together, by bytes', async () => {
        for (const id of ['r-b', 'R-c', 'r-a']) await store.apply('planner', [change(id, [['a', 'b']])]);
        expect((await store.load('planner'))?.plan.metadata_template.run_id).toBe('r-b');
      });

      it('keeps agents apart, and lists them by bytes', async () => {
        const names = [
          'a',
          'a:b',
          'plan:a',
          'runs_index:a',
          '*',
          '[a-z]?\\',
          '{x}',
          ' ',
          '～',
          '😀',
          'ä'.repeat(128),
        ];
        for (const agentId of names) {
          await store.apply(agentId, [change('r1', [[agentId, 'other']], { agentId })]);
        }
        expect(await store.agents()).toEqual(
          [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
        );
        for (const agentId of names) {
          const names = [agentId, 'other'].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
          expect((await store.load(agentId))?.plan.parallel_groups.map((g) => g.tool_names)).toEqual([names]);
          expect((await store.runs(agentId)).map((run) => run.agentId)).toEqual([agentId]);
        }
      });

      it('learns the plans of nemo-flow-adaptive, and keeps its run records', async () => {
        expect(vectors.length).toBeGreaterThan(100);
        await Promise.all(
          vectors.map(async ({ agent_id, runs, plan }) => {
            for (const run of runs) await store.apply(agent_id, [learned(parseRunRecord(run))]);
            expect((await store.load(agent_id))?.plan ?? null).toEqual(plan);
            expect((await store.runs(agent_id)).map(formatRunRecord)).toEqual(runs);
          }),
        );
      });
    });

    describe('exactly once', () => {
      it('does nothing for a run that was applied before', async () => {
        await store.apply('planner', [change('r1', [['a', 'b']])]);
        const outcome = await make().apply('planner', [
          change('r1', [['a', 'b']]),
          change('r2', [['a', 'b']]),
        ]);
        if (!kind.isShared) return;
        expect(outcome).toMatchObject({ applied: 1, duplicates: 1, duplicateRunIds: ['r1'], revision: 1 });
        expect((await store.support('planner')).map((group) => group.runs)).toEqual([2]);
        expect((await store.runs('planner')).map((run) => run.id)).toEqual(['r1', 'r2']);
      });

      it('takes the latest of several revisions in one call', async () => {
        const outcome = await store.apply('planner', [
          change('r1', [['a', 'b']], { revision: 2 }),
          change('r1', [['c', 'd']], { revision: 3 }),
          change('r1', [['e', 'f']], { revision: 1 }),
        ]);
        expect(outcome).toMatchObject({ applied: 1, duplicates: 2, duplicateRunIds: ['r1', 'r1'] });
        expect(await groupsOf()).toEqual(['c+d']);
      });

      it('forgets the oldest applied runs over its bound', async () => {
        const bounded = make({ maxAppliedRuns: 2 });
        for (const id of ['r1', 'r2', 'r3']) await bounded.apply('planner', [change(id, [['a', 'b']])]);
        expect(await bounded.apply('planner', [change('r3', [['a', 'b']])])).toMatchObject({ duplicates: 1 });
        expect(await bounded.apply('planner', [change('r1', [['a', 'b']])])).toMatchObject({ duplicates: 0 });
        expect((await bounded.support('planner')).map((group) => group.runs)).toEqual([4]);
      });

      it('takes an amended run for the newest of them', async () => {
        const bounded = make({ maxAppliedRuns: 2 });
        for (const [id, revision] of [
          ['r1', 1],
          ['r2', 1],
          ['r1', 2],
          ['r3', 1],
        ] as const)
          await bounded.apply('planner', [change(id, [['a', 'b']], { revision })]);
        expect(await bounded.apply('planner', [change('r1', [], { revision: 2 })])).toMatchObject({
          duplicates: 1,
        });
        expect(await bounded.apply('planner', [change('r2', [])])).toMatchObject({ duplicates: 0 });
      });
    });

    describe('amending', () => {
      it('replaces what an earlier revision contributed', async () => {
        await store.apply('planner', [
          change(
            'r1',
            [
              ['a', 'b'],
              ['c', 'd'],
            ],
            { at: 1 },
          ),
        ]);
        await store.apply('planner', [change('r2', [['c', 'd']], { at: 2 })]);
        const outcome = await store.apply('planner', [change('r1', [['a', 'e']], { at: 3, revision: 2 })]);
        expect(outcome).toMatchObject({ applied: 1, groupsAdded: 1, groupsRemoved: 1, revision: 2 });
        expect(await groupsOf()).toEqual(['a+e', 'c+d']);
        expect(
          (await store.support('planner')).map(({ toolNames, runs }) => [toolNames.join('+'), runs]).sort(),
        ).toEqual([
          ['a+e', 1],
          ['c+d', 1],
        ]);
        const runs = await store.runs('planner');
        expect(runs.map((run) => [run.id, run.calls.length])).toEqual([
          ['r1', 2],
          ['r2', 2],
        ]);
      });

      it('takes a withdrawn run back: groups, times, record, and the plan with the last group', async () => {
        await store.apply('planner', [change('r1', [['a', 'b']], { at: 1 })]);
        await store.apply('planner', [change('r2', [['a', 'b']], { at: 2 })]);
        await store.apply('planner', [withdrawal('r2', 2)]);
        expect((await store.load('planner'))?.plan.metadata_template.run_id).toBe('r1');
        expect(await store.support('planner')).toMatchObject([
          { runs: 1, lastSeen: timeFromMillis(1_700_000_001_000) },
        ]);
        expect((await store.runs('planner')).map((run) => run.id)).toEqual(['r1']);
        await store.apply('planner', [withdrawal('r1', 2)]);
        expect(await store.load('planner')).toBeUndefined();
        expect(await store.support('planner')).toEqual([]);
        expect(await store.agents()).toEqual([]);
        expect(await store.apply('planner', [change('r1', [['a', 'b']])])).toMatchObject({ duplicates: 1 });
      });
    });

    describe('run records', () => {
      it('keeps the newest, oldest first', async () => {
        const bounded = make({ maxRunsPerAgent: 3 });
        for (const id of ['r9', 'r3', 'r7', 'r1', 'r5']) await bounded.apply('planner', [change(id, [])]);
        expect((await bounded.runs('planner')).map((run) => run.id)).toEqual(['r7', 'r1', 'r5']);
        expect((await bounded.runs('planner', 2)).map((run) => run.id)).toEqual(['r1', 'r5']);
        expect(await bounded.runs('planner', 0)).toEqual([]);
      });

      it('keeps the newest of many', async () => {
        const bounded = make({ maxRunsPerAgent: 3 });
        for (let i = 1; i <= 12; i++) await bounded.apply('planner', [change(`r${i}`, [])]);
        expect((await bounded.runs('planner')).map((run) => run.id)).toEqual(['r10', 'r11', 'r12']);
      });

      it('keeps the newest of one batch', async () => {
        const bounded = make({ maxRunsPerAgent: 2 });
        await bounded.apply(
          'planner',
          ['r9', 'r3', 'r7'].map((id) => change(id, [['a', 'b']])),
        );
        expect((await bounded.runs('planner')).map((run) => run.id)).toEqual(['r3', 'r7']);
      });

      it('keeps the newest of one moment, in the order of the calls', async () => {
        const bounded = make({ maxRunsPerAgent: 2, maxAppliedRuns: 2, now: () => 1_700_000_000_000 });
        for (const id of ['r9', 'r3', 'r7']) await bounded.apply('planner', [change(id, [])]);
        expect((await bounded.runs('planner')).map((run) => run.id)).toEqual(['r3', 'r7']);
        expect(await bounded.apply('planner', [change('r3', [])])).toMatchObject({ duplicates: 1 });
        expect(await bounded.apply('planner', [change('r9', [])])).toMatchObject({ duplicates: 0 });
      });

      it.each([
        ['are remembered', 10_000],
        ['were forgotten', 1],
      ])(
        'keeps a new one before amended ones of a batch, which keep their places: they %s',
        async (_, maxAppliedRuns) => {
          const bounded = make({ maxRunsPerAgent: 2, maxAppliedRuns });
          for (const id of ['r1', 'r2']) await bounded.apply('planner', [change(id, [])]);
          await bounded.apply('planner', [withdrawal('none', 1)]);
          await bounded.apply('planner', [
            change('r3', []),
            change('r1', [], { revision: 2 }),
            change('r2', [], { revision: 2 }),
          ]);
          expect((await bounded.runs('planner')).map((run) => run.id)).toEqual(['r2', 'r3']);
        },
      );

      it('keeps none where told so', async () => {
        const none = make({ maxRunsPerAgent: 0 });
        await none.apply('planner', [change('r1', [['a', 'b']])]);
        expect(await none.runs('planner')).toEqual([]);
        expect(await none.agents()).toEqual(['planner']);
      });

      it('takes run ids of any length and content', async () => {
        const ids = ['x'.repeat(5_000), 'a b', '"quoted"\\', 'ünï😀', 'a:b', '\u0000'];
        for (const id of ids) await store.apply('planner', [change(id, [['a', 'b']])]);
        expect((await store.runs('planner')).map((run) => run.id)).toEqual(ids);
        expect((await store.load('planner'))?.plan.metadata_template.run_id).toBe('ünï😀');
        expect(
          await store.apply(
            'planner',
            ids.map((id) => change(id, [['a', 'b']])),
          ),
        ).toMatchObject({
          applied: 0,
          duplicates: ids.length,
        });
      });
    });

    describe('time', () => {
      const START = Date.now();

      it('lets each run record go by the time of its first revision', async () => {
        let now = START;
        const timed = make({ runTtlSeconds: 60, now: () => now });
        for (const [seconds, id, revision] of [
          [0, 'r1', 1],
          [10, 'r2', 1],
          [50, 'r1', 2],
          [65, 'r3', 1],
        ] as const) {
          now = START + seconds * 1_000;
          await timed.apply('planner', [change(id, [], { revision })]);
        }
        expect((await timed.runs('planner')).map((run) => run.id)).toEqual(['r2', 'r3']);
      });

      it('forgets each applied run by the time of its last revision', async () => {
        let now = START;
        const timed = make({ appliedRunTtlSeconds: 60, now: () => now });
        const at = (seconds: number, id: string, revision = 1) => {
          now = START + seconds * 1_000;
          return timed.apply('planner', [change(id, [['a', 'b']], { revision })]);
        };
        await at(0, 'r1');
        await at(10, 'r2');
        await at(50, 'r1', 2);
        expect(await at(65, 'r1', 2)).toMatchObject({ duplicates: 1 });
        expect(await at(65, 'r2')).toMatchObject({ duplicates: 1 });
        expect(await at(75, 'r2')).toMatchObject({ applied: 1 });
        expect(await at(75, 'r1', 2)).toMatchObject({ duplicates: 1 });
      });

      it('lets run records go, and applied runs be applied again, each after its own', async () => {
        const short = make({ runTtlSeconds: 1 });
        await short.apply('short records', [change('r1', [], { agentId: 'short records' })]);
        expect(await short.runs('short records')).toHaveLength(1);
        const brief = make({ appliedRunTtlSeconds: 1 });
        await brief.apply('planner', [change('r1', [['a', 'b']])]);
        expect(await brief.apply('planner', [change('r1', [['a', 'b']])])).toMatchObject({ duplicates: 1 });
        await sleep(1_100);
        expect(await brief.apply('planner', [change('r1', [['a', 'b']])])).toMatchObject({ applied: 1 });
        expect(await short.runs('short records')).toEqual([]);
        expect(await short.agents()).not.toContain('short records');
        await short.apply('short records', [change('r2', [], { agentId: 'short records' })]);
        expect((await short.runs('short records')).map((run) => run.id)).toEqual(['r2']);
      });
    });

    describe('support', () => {
      it('counts the runs of exactly this multiset, with first and last time', async () => {
        await store.apply('planner', [change('r2', [['a', 'b']], { at: 20 })]);
        await store.apply('planner', [
          change('r1', [['a', 'b']], { at: 10 }),
          change('r3', [['a', 'b']], { at: 30 }),
        ]);
        await store.apply('planner', [change('r4', [['a', 'a', 'b']], { at: 40 })]);
        const support = await store.support('planner');
        expect(support.map((group) => group.groupId)).toEqual(support.map((group) => group.groupId).sort());
        expect(support.find((group) => group.toolNames.length === 2)).toMatchObject({
          toolNames: ['a', 'b'],
          runs: 3,
          firstSeen: timeFromMillis(1_700_000_010_000),
          lastSeen: timeFromMillis(1_700_000_030_000),
        });
        expect(support.find((group) => group.toolNames.length === 3)).toMatchObject({ runs: 1 });
      });
    });

    describe('bounds', () => {
      it('compacts a plan over its bound without loss', async () => {
        const bounded = make({ maxGroups: 2 });
        await bounded.apply('planner', [change('r1', [['a', 'b']])]);
        await bounded.apply('planner', [change('r2', [['c', 'd']])]);
        const outcome = await bounded.apply('planner', [change('r3', [['a', 'b', 'c']])]);
        expect(outcome).toMatchObject({ groupsAdded: 1, groupsCompacted: 1, groupsEvicted: 0 });
        expect(await groupsOf(bounded)).toEqual(['a+b+c', 'c+d']);
        expect(await bounded.apply('planner', [change('r4', [['b', 'c']])])).toMatchObject({
          groupsCompacted: 1,
          revision: 3,
        });
        expect(await groupsOf(bounded)).toEqual(['a+b+c', 'c+d']);
      });

      it('goes on to leave out what a larger group implies once the plan is within its bound again', async () => {
        const bounded = make({ maxGroups: 2 });
        await bounded.apply('planner', [change('r1', [['a', 'b']])]);
        await bounded.apply('planner', [change('r2', [['c', 'd']])]);
        await bounded.apply('planner', [change('r3', [['a', 'b', 'c']])]);
        await bounded.apply('planner', [withdrawal('r3', 2)]);
        const later = kind.isShared ? make({ maxGroups: 2 }) : bounded;
        expect(await later.apply('planner', [change('r4', [['c', 'd', 'e']])])).toMatchObject({
          groupsCompacted: 1,
        });
        expect(await groupsOf(later)).toEqual(['c+d+e']);
      });

      it('then lets the least supported go', async () => {
        const bounded = make({ maxGroups: 2 });
        await bounded.apply('planner', [
          change('r1', [['a', 'b']], { at: 1 }),
          change('r2', [['a', 'b']], { at: 2 }),
        ]);
        await bounded.apply('planner', [change('r3', [['c', 'd']], { at: 3 })]);
        const outcome = await bounded.apply('planner', [change('r4', [['e', 'f']], { at: 4 })]);
        expect(outcome).toMatchObject({ groupsEvicted: 1 });
        expect(await groupsOf(bounded)).toEqual(['a+b', 'e+f']);
      });

      it('refuses agents over its bound, and takes one again when there is room', async () => {
        const bounded = make({ maxAgents: 2 });
        for (const agentId of ['a', 'b'])
          await bounded.apply(agentId, [change('r1', [['x', 'y']], { agentId })]);
        await expect(bounded.apply('c', [change('r1', [])])).rejects.toMatchObject({ code: 'agent_limit' });
        await bounded.apply('a', [change('r2', [['x', 'z']], { agentId: 'a' })]);
        expect(await bounded.agents()).toEqual(['a', 'b']);
        await bounded.forget('b');
        await bounded.apply('c', [change('r1', [])]);
        expect(await bounded.agents()).toEqual(['a', 'c']);
      });

      it('counts an agent again that was forgotten and began anew', async () => {
        const bounded = make({ maxAgents: 1 });
        await bounded.apply('a', [change('r1', [['x', 'y']])]);
        await bounded.forget('a');
        await bounded.apply('a', [change('r1', [['x', 'y']])]);
        await expect(bounded.apply('b', [change('r1', [])])).rejects.toMatchObject({ code: 'agent_limit' });
      });

      it('keeps the room of an agent while runs of it are remembered that must not be applied again', async () => {
        const bounded = make({ maxAgents: 1, maxRunsPerAgent: 0 });
        await bounded.apply('a', [change('r1', [])]);
        await expect(bounded.apply('b', [change('r1', [])])).rejects.toMatchObject({ code: 'agent_limit' });
        expect(await bounded.apply('a', [change('r1', [])])).toMatchObject({ duplicates: 1 });
      });

      it('refuses no agent of which nothing is to be written', async () => {
        const bounded = make({ maxAgents: 1 });
        await bounded.apply('a', [change('r1', [['x', 'y']])]);
        expect(await bounded.apply('b', [])).toMatchObject({ applied: 0 });
      });

      it.each([
        { maxGroups: 0 },
        { maxRunsPerAgent: -1 },
        { runTtlSeconds: 1.5 },
        { maxAppliedRuns: Number.NaN },
      ])('refuses impossible bounds: %o', (limits) => {
        expect(() => kind.make(limits)).toThrow(RangeError);
      });
    });

    describe('forget', () => {
      it('deletes everything, and begins anew', async () => {
        await store.apply('planner', [change('r1', [['a', 'b']])]);
        await store.apply('other', [change('r1', [['a', 'b']], { agentId: 'other' })]);
        expect(await store.forget('planner')).toBe(true);
        expect(await store.forget('planner')).toBe(false);
        expect(await store.load('planner')).toBeUndefined();
        expect(await store.runs('planner')).toEqual([]);
        expect(await store.support('planner')).toEqual([]);
        expect(await store.agents()).toEqual(['other']);
        expect(await store.apply('planner', [change('r1', [['c', 'd']])])).toMatchObject({
          applied: 1,
          revision: 1,
        });
        expect(await groupsOf()).toEqual(['c+d']);
      });
    });

    describe('subscriptions', () => {
      it('tell of changed groups, and of nothing else', async () => {
        const changes: PlanChange[] = [];
        const end = store.subscribe((planChange) => changes.push(planChange));
        await store.apply('planner', [change('r1', [['a', 'b']])]);
        expect(changes).toEqual([{ agentId: 'planner', revision: 1 }]);
        await store.apply('planner', [change('r2', [['a', 'b']], { at: 5 })]);
        await store.apply('planner', [change('r1', [['a', 'b']])]);
        await store.apply('planner', [change('r3', [])]);
        expect(changes).toHaveLength(1);
        await store.forget('planner');
        await store.forget('planner');
        expect(changes.slice(1)).toEqual([{ agentId: 'planner', revision: undefined }]);
        end();
        end();
        await store.apply('planner', [change('r1', [['a', 'b']])]);
        expect(changes).toHaveLength(2);
      });

      it('survive a listener that throws', async () => {
        const changes: PlanChange[] = [];
        store.subscribe(() => {
          throw new Error('listener');
        });
        store.subscribe((planChange) => changes.push(planChange));
        await store.apply('planner', [change('r1', [['a', 'b']])]);
        expect(changes).toHaveLength(1);
      });

      it('tell of what another process changed, once', async () => {
        if (!kind.isShared) return;
        const writer = make();
        const changes: PlanChange[] = [];
        store.subscribe((planChange) => changes.push(planChange));
        // The subscription may take a moment: write until it is heard, then look at what comes of one more.
        for (let i = 0; i < 100 && changes.length === 0; i++) {
          await writer.apply('planner', [change(`r${i}`, [[`tool${i}`, 'b']])]);
          await sleep(50);
        }
        await sleep(300);
        changes.length = 0;
        await writer.apply('other', [change('r1', [['ä b', '\n']], { agentId: 'other' })]);
        await until(() => changes.length > 0);
        await sleep(150);
        expect(changes).toEqual([{ agentId: 'other', revision: 1 }]);
      });
    });

    describe('several writers', () => {
      it('lose nothing among them', async () => {
        if (!kind.isShared) return;
        const writers = [store, make(), make()];
        await Promise.all(
          writers.flatMap((writer, w) =>
            Array.from({ length: 10 }, (_, i) =>
              writer.apply('planner', [
                change(
                  `w${w}-r${i}`,
                  [
                    [`w${w}`, `t${i}`],
                    ['a', 'b'],
                  ],
                  { at: i },
                ),
              ]),
            ),
          ),
        );
        expect(await groupsOf()).toHaveLength(31);
        const support = await store.support('planner');
        expect(support.find((group) => group.toolNames.join() === 'a,b')?.runs).toBe(30);
        expect(await store.runs('planner')).toHaveLength(30);
      });
    });

    describe('closing', () => {
      it('is done once; then every call is refused', async () => {
        await store.apply('planner', [change('r1', [['a', 'b']])]);
        await Promise.all([store.close(), store.close()]);
        await store.close();
        const calls = [
          () => store.load('planner'),
          () => store.agents(),
          () => store.apply('planner', [change('r2', [])]),
          () => store.runs('planner'),
          () => store.support('planner'),
          () => store.forget('planner'),
          async () => store.subscribe(() => undefined),
        ];
        for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'closed' });
        if (kind.isShared) expect((await make().load('planner'))?.revision).toBe(1);
      });
    });
  });
}

export function sleep(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, millis));
}

export async function until(holds: () => boolean | Promise<boolean>, millis = 5_000): Promise<void> {
  const end = performance.now() + millis;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`it did not hold within ${millis} ms`);
    await sleep(10);
  }
}
