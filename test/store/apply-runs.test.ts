import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cohortOf, isContained } from '../../src/model/cohort.ts';
import { formatApplied, formatEvidence, parseApplied, parseEvidence } from '../../src/store/agent-codec.ts';
import { type AgentState, EMPTY_STATE } from '../../src/store/agent-state.ts';
import { applyRuns } from '../../src/store/apply-runs.ts';
import { groupIdOf } from '../../src/store/group-id.ts';
import { change } from './changes.ts';

const LIMITS = { maxGroups: 512, maxPlanBytes: 1_048_576 };
const NOTHING = new Map();

function applied(state: AgentState, groups: readonly (readonly string[])[], limits = LIMITS): AgentState {
  return applyRuns('planner', state, NOTHING, [change(`r${Math.random()}`, groups)], limits).state;
}

const groupsOf = (state: AgentState) => state.plan?.parallel_groups ?? [];

describe('group ids', () => {
  const shortId = (names: readonly string[]) =>
    groupIdOf(names, { hasId: () => false, hasJoined: () => false });

  it('are the first five digits of the names joined, where they are free', () => {
    expect(shortId(['fetch', 'search'])).toBe('fanout:sha256:98257');
  });

  it('grow until they are free, so that no group overwrites another', () => {
    const byId = new Map<string, string[]>();
    let pair: readonly [string[], string[]] | undefined;
    for (let i = 0; pair === undefined; i++) {
      const names = ['a', `tool${i}`];
      const other = byId.get(shortId(names));
      if (other !== undefined) pair = [other, names];
      byId.set(shortId(names), names);
    }
    const state = pair.reduce((before, names) => applied(before, [names]), EMPTY_STATE);
    const [first, second] = groupsOf(state).toSorted((a, b) => a.group_id.length - b.group_id.length);
    expect(first).toEqual({ group_id: shortId(pair[0]), tool_names: pair[0] });
    expect(second?.tool_names).toEqual(pair[1]);
    expect(second?.group_id).toMatch(new RegExp(`^${shortId(pair[0])}[0-9a-f]$`));
    expect(state.plan?.metadata_template.parallel_hints).toHaveLength(4);
    expect(applied(state, pair).revision).toBe(state.revision);
  });

  it('differ for names that are joined to the same text', () => {
    const state = applied(EMPTY_STATE, [
      ['a|b', 'c'],
      ['a', 'b|c'],
      ['a', 'b', 'c'],
    ]);
    expect(new Set(groupsOf(state).map((group) => group.group_id)).size).toBe(3);
  });
});

describe('what other writers left', () => {
  const foreign = (groups: readonly { group_id: string; tool_names: readonly string[] }[]): AgentState => ({
    ...EMPTY_STATE,
    plan: {
      agent_id: 'planner',
      parallel_groups: groups,
      metadata_template: { run_id: 'theirs', agent_id: 'planner', parallel_hints: [], extensions: {} },
    },
  });

  it('keeps two groups that they gave one id', () => {
    const groups = [
      { group_id: 'fanout:x', tool_names: ['a', 'b'] },
      { group_id: 'fanout:x', tool_names: ['c', 'd'] },
    ];
    expect(groupsOf(applied(foreign(groups), [['e', 'f']]))).toEqual(expect.arrayContaining(groups));
  });

  it('knows a group again whose names stand in another order', () => {
    const groups = [{ group_id: 'fanout:x', tool_names: ['y', 'x'] }];
    expect(groupsOf(applied(foreign(groups), [['x', 'y']]))).toEqual(groups);
  });
});

describe('a plan at its bounds', () => {
  const names = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), { minLength: 2, maxLength: 5 });

  it('never passes them, and never loses what a larger group implies', () => {
    fc.assert(
      fc.property(
        fc.array(names, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 8 }),
        (runs, maxGroups) => {
          let state: AgentState = EMPTY_STATE;
          let evicted = 0;
          for (const [i, each] of runs.entries()) {
            const next = applyRuns('planner', state, NOTHING, [change(`r${i}`, [each], { at: i })], {
              ...LIMITS,
              maxGroups,
            });
            state = next.state;
            evicted += next.groupsEvicted;
            expect(groupsOf(state).length).toBeLessThanOrEqual(maxGroups);
            expect([...state.evidence.values()].map((known) => known.groupId).sort()).toEqual(
              groupsOf(state)
                .map((group) => group.group_id)
                .sort(),
            );
          }
          if (evicted > 0) return;
          for (const each of runs) {
            const { names: sorted } = cohortOf(each);
            expect(groupsOf(state).some((group) => isContained(sorted, group.tool_names))).toBe(true);
          }
        },
      ),
    );
  });

  it('holds in bytes', () => {
    let state: AgentState = EMPTY_STATE;
    const limits = { maxGroups: 10_000, maxPlanBytes: 10_000 };
    for (let i = 0; i < 200; i++) {
      state = applied(state, [[`tool "${i}" ü`, 'other']], limits);
      expect(Buffer.byteLength(JSON.stringify(state.plan))).toBeLessThanOrEqual(10_000);
    }
    expect(groupsOf(state).length).toBeGreaterThan(20);
  });

  it('keeps groups of others and those declared by someone', () => {
    const plan = {
      agent_id: 'planner',
      parallel_groups: Array.from({ length: 5 }, (_, i) => ({
        group_id: `g${i}`,
        tool_names: ['x', `t${i}`],
      })),
      metadata_template: {
        run_id: 'r',
        agent_id: 'planner',
        parallel_hints: [{ tool_name: 'x', group_id: 'g0', explicit: true }],
        extensions: {},
      },
    };
    let state: AgentState = { ...EMPTY_STATE, plan };
    for (let i = 0; i < 10; i++) state = applied(state, [['a', `b${i}`]], { ...LIMITS, maxGroups: 2 });
    expect(groupsOf(state)).toHaveLength(7);
    expect(groupsOf(state)).toEqual(expect.arrayContaining(plan.parallel_groups));
    expect(state.plan?.metadata_template.parallel_hints).toContainEqual(
      plan.metadata_template.parallel_hints[0],
    );
  });
});

describe('what stores keep as text', () => {
  const time = fc.tuple(
    fc.integer({ min: -62_135_596_800, max: 253_402_300_799 }),
    fc.integer({ min: 0, max: 999_999_999 }),
  );

  it('reads as it was written', () => {
    const evidence = fc.record({
      groupId: fc.string({ unit: 'binary' }),
      toolNames: fc.array(fc.string({ unit: 'binary' }), { minLength: 2 }),
      runs: fc.nat(),
      firstSeen: time,
      lastSeen: time,
      added: fc.boolean(),
    });
    fc.assert(
      fc.property(evidence, (each) => {
        expect(parseEvidence(formatEvidence(each))).toEqual(each);
      }),
    );
    const run = fc.record({
      revision: fc.nat(),
      endedAt: time,
      keys: fc.array(fc.stringMatching(/^[0-9a-f]{32}$/)),
    });
    fc.assert(
      fc.property(run, (each) => {
        expect(parseApplied(formatApplied(each))).toEqual(each);
      }),
    );
  });

  it('sorts by time where times are compared as text', () => {
    const stamp = (endedAt: readonly [number, number]) => formatApplied({ revision: 1, endedAt, keys: [] });
    fc.assert(
      fc.property(time, time, (a, b) => {
        expect(Math.sign(Number(stamp(a) > stamp(b)) - Number(stamp(a) < stamp(b)))).toBe(
          Math.sign(a[0] - b[0] || a[1] - b[1]),
        );
      }),
    );
  });

  it('is left out where it cannot be read', () => {
    for (const text of ['', '1', '1 2 3 []', `1 ${'0'.repeat(21)} ${'0'.repeat(21)} {`, 'x y z']) {
      expect(parseEvidence(text)).toBeUndefined();
    }
    expect(parseApplied('x')).toBeUndefined();
  });
});
