import { describe, expect, it } from 'vitest';
import { EMPTY_STATE } from '../../src/store/agent-state.ts';
import { applyRuns } from '../../src/store/apply-runs.ts';
import type { StoreLimits } from '../../src/store/limits.ts';
import { MemoryPlanStore } from '../../src/store/memory-plan-store.ts';
import type { RunChange } from '../../src/store/plan-store.ts';
import { timeFromMillis } from '../support/times.ts';
import { change, withdrawal } from './changes.ts';
import { groupNames } from './group-names.ts';

const LIMITS = { maxGroups: 512, maxPlanBytes: 1_048_576 };
const seconds = (at: number) => timeFromMillis(1_700_000_000_000 + at * 1_000);

/** A store with these changes applied, each in a call of its own. */
async function storeAfter(changes: readonly RunChange[], limits: Partial<StoreLimits> = {}) {
  const store = new MemoryPlanStore(limits);
  for (const each of changes) await store.apply('planner', [each]);
  return {
    store,
    counts: async () =>
      Object.fromEntries(
        (await store.support('planner')).map((group) => [group.toolNames.join('+'), group.runs]),
      ),
    groups: async () => groupNames((await store.load('planner'))?.plan),
  };
}

describe('one batch', () => {
  it('counts a change once that is given twice', async () => {
    const { store, counts } = await storeAfter([]);
    const twice = change('r1', [['a', 'b']]);
    expect(await store.apply('planner', [twice, twice])).toMatchObject({ applied: 1, duplicates: 1 });
    expect(await counts()).toEqual({ 'a+b': 1 });
  });

  it('takes the first of two changes with the same revision, as two calls would', async () => {
    const { store, counts } = await storeAfter([]);
    await store.apply('planner', [change('r1', [['a', 'b']]), change('r1', [['c', 'd']])]);
    expect(await counts()).toEqual({ 'a+b': 1 });
  });

  it('counts every run of a list of cohorts that several share', async () => {
    const { store, counts } = await storeAfter([]);
    const shared = change('r1', [['a', 'b']]);
    await store.apply('planner', [
      change('r0', [
        ['a', 'b'],
        ['c', 'd'],
      ]),
      shared,
      { ...shared, runId: 'r2' },
      { ...shared, runId: 'r3' },
    ]);
    expect(await counts()).toEqual({ 'a+b': 4, 'c+d': 1 });
  });
});

describe('what a withdrawn run leaves', () => {
  const group = [['a', 'b']];

  it('is the first and last time of all others', async () => {
    const { store } = await storeAfter([
      ...[1, 5, 3, 8, 6, 9].map((at) => change(`r${at}`, group, { at })),
      withdrawal('r9', 2),
      withdrawal('r1', 2),
    ]);
    expect(await store.support('planner')).toMatchObject([
      { runs: 4, firstSeen: seconds(3), lastSeen: seconds(8) },
    ]);
  });

  it('are the times as they were where not all others are remembered', async () => {
    const { store } = await storeAfter(
      [...[1, 2, 3].map((at) => change(`r${at}`, group, { at })), withdrawal('r3', 2)],
      { maxAppliedRuns: 2 },
    );
    expect(await store.support('planner')).toMatchObject([
      { runs: 2, firstSeen: seconds(1), lastSeen: seconds(3) },
    ]);
  });

  it('is the name of the last run that has groups', async () => {
    const { store } = await storeAfter([
      change('r1', group, { at: 1 }),
      change('r2', group, { at: 2 }),
      change('r3', [], { at: 3 }),
      withdrawal('r2', 2),
    ]);
    expect((await store.load('planner'))?.plan.metadata_template.run_id).toBe('r1');
  });

  it('is told to the store as what goes', () => {
    const first = applyRuns('planner', EMPTY_STATE, new Map(), [change('r1', group)], LIMITS);
    const history = new Map(first.applied.map(([{ runId }, run]) => [runId, run]));
    const { evidence, retracted } = applyRuns('planner', first.state, history, [withdrawal('r1', 2)], LIMITS);
    expect(retracted).toBe(true);
    expect([...evidence]).toEqual([[first.applied[0]?.[1].keys[0], undefined]]);
  });

  it('needs no look at all that was applied where the run had no groups', () => {
    const history = {
      get: () => ({ revision: 1, endedAt: seconds(0), keys: [] }),
      entries: () => {
        throw new Error('read');
      },
    };
    const next = applyRuns('planner', EMPTY_STATE, history, [change('r1', group, { revision: 2 })], LIMITS);
    expect(next).toMatchObject({ retracted: false, groupsAdded: 1 });
  });
});

describe('a group that came back after it had to go', () => {
  /** Runs before the group of a and b is let go, as the one seen longest ago. */
  const before = [
    change('r1', [['a', 'b']], { at: 1 }),
    change('r2', [['c', 'd']], { at: 2 }),
    change('r3', [['e', 'f']], { at: 3 }),
  ];
  const back = change('r4', [['a', 'b']], { at: 4 });

  it('stays while a run is known that shows it, though an earlier one is withdrawn', async () => {
    const { groups, counts } = await storeAfter([...before, back, withdrawal('r1', 2)], { maxGroups: 2 });
    expect(await groups()).toEqual(['a+b', 'e+f']);
    expect(await counts()).toEqual({ 'a+b': 1, 'e+f': 1 });
  });

  it('goes when all runs are withdrawn that show it', async () => {
    const { store, groups } = await storeAfter([...before, back], { maxGroups: 2 });
    await store.apply('planner', [withdrawal('r1', 2), withdrawal('r4', 2)]);
    expect(await groups()).toEqual(['e+f']);
  });
});
