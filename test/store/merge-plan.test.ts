import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isContained } from '../../src/model/cohort.ts';
import type { ExecutionPlan } from '../../src/model/execution-plan.ts';
import { formatGroup } from '../../src/store/agent-codec.ts';
import { type AgentState, type AppliedRun, EMPTY_STATE, type Evidence } from '../../src/store/agent-state.ts';
import { applyRuns } from '../../src/store/apply-runs.ts';
import { compact } from '../../src/store/compact.ts';
import { PlanGroups } from '../../src/store/plan-groups.ts';
import type { RunChange } from '../../src/store/plan-store.ts';
import { change, withdrawal } from './changes.ts';
import { groupNames } from './group-names.ts';

const LIMITS = { maxGroups: 512, maxPlanBytes: 1_048_576 };
const ID = 'fanout:sha256:98257';
const NAMES = ['fetch', 'search'];

/** One agent, whose plan others may overwrite. */
class Agent {
  state: AgentState = EMPTY_STATE;
  readonly #history = new Map<string, AppliedRun>();
  readonly #limits: typeof LIMITS;

  constructor(limits: Partial<typeof LIMITS> = {}) {
    this.#limits = { ...LIMITS, ...limits };
  }

  get groups(): readonly string[] | undefined {
    return groupNames(this.state.plan);
  }

  apply(...changes: readonly RunChange[]) {
    const next = applyRuns('planner', this.state, this.#history, changes, this.#limits);
    for (const [{ runId }, run] of next.applied) this.#history.set(runId, run);
    this.state = next.state;
    return next;
  }

  overwrite(plan: ExecutionPlan): void {
    this.state = { ...this.state, plan, isMerged: false };
  }
}

function planOf(
  groups: ExecutionPlan['parallel_groups'],
  hints: ExecutionPlan['metadata_template']['parallel_hints'] = [],
): ExecutionPlan {
  return {
    agent_id: 'planner',
    parallel_groups: groups,
    metadata_template: { run_id: 'theirs', agent_id: 'planner', parallel_hints: hints, extensions: {} },
  };
}

describe('a plan that another writer overwrote', () => {
  it('gets a known group back with a run that only counts', () => {
    const agent = new Agent();
    agent.apply(change('r1', [NAMES]));
    agent.overwrite(planOf([]));
    expect(agent.apply(change('r2', [NAMES]))).toMatchObject({ groupsAdded: 1, isCountOnly: false });
    expect(agent.groups).toEqual(['fetch+search']);
  });

  it('keeps a group of ours under the id that they gave it, as theirs from then on', () => {
    const agent = new Agent();
    agent.apply(change('r1', [NAMES]));
    const theirs = planOf([{ group_id: 'theirs', tool_names: NAMES }]);
    agent.overwrite(theirs);
    agent.apply(change('r2', [NAMES]));
    expect([...agent.state.evidence.values()]).toMatchObject([{ groupId: 'theirs', added: false, runs: 2 }]);
    expect(agent.apply(withdrawal('r1', 2), withdrawal('r2', 2)).groupsRemoved).toBe(0);
    expect(agent.state.plan?.parallel_groups).toEqual(theirs.parallel_groups);
  });

  it('keeps a group of theirs that has an id of ours: ours gets another, and leaves alone', () => {
    const agent = new Agent();
    agent.apply(change('r1', [NAMES]));
    const theirs = { group_id: ID, tool_names: ['p', 'q'] };
    agent.overwrite(planOf([theirs]));
    agent.apply(change('r2', [NAMES]));
    expect(agent.groups).toEqual(['fetch+search', 'p+q']);
    expect(agent.state.plan?.parallel_groups).toContainEqual(theirs);
    agent.overwrite(planOf([{ ...theirs, group_id: `${ID}9` }, theirs]));
    agent.state = {
      ...agent.state,
      evidence: new Map([...agent.state.evidence].map(([key, known]) => [key, { ...known, groupId: ID }])),
    };
    agent.apply(withdrawal('r1', 2), withdrawal('r2', 2));
    expect(agent.state.plan?.parallel_groups).toContainEqual(theirs);
  });

  it('keeps a group of ours of which someone declared a tool', () => {
    const agent = new Agent();
    agent.apply(change('r1', [NAMES]));
    const { plan } = agent.state;
    agent.overwrite(
      planOf(plan?.parallel_groups ?? [], [{ tool_name: 'fetch', group_id: ID, explicit: true }]),
    );
    expect(agent.apply(withdrawal('r1', 2)).groupsRemoved).toBe(0);
    expect(agent.groups).toEqual(['fetch+search']);
  });

  it('gets no second hint where they left those of a group', () => {
    const agent = new Agent();
    agent.overwrite(planOf([], [{ tool_name: 'fetch', group_id: ID, explicit: false }]));
    agent.apply(change('r1', [NAMES]));
    expect(agent.state.plan?.metadata_template.parallel_hints.map((hint) => hint.tool_name)).toEqual(NAMES);
  });

  it.each<[string, ExecutionPlan]>([
    ['a field', { ...planOf([]), note: 1 }],
    [
      'a field of the template',
      { ...planOf([]), metadata_template: { ...planOf([]).metadata_template, note: 1 } },
    ],
    [
      'an extension',
      { ...planOf([]), metadata_template: { ...planOf([]).metadata_template, extensions: { e: 1 } } },
    ],
  ])('keeps %s of theirs when our last group goes, else goes too', (_, plan) => {
    for (const [stored, left] of [
      [plan, { ...plan, metadata_template: { ...plan.metadata_template, run_id: 'r1' } }],
      [planOf([]), undefined],
    ] as const) {
      const agent = new Agent();
      agent.overwrite(stored);
      agent.apply(change('r1', [NAMES]));
      agent.apply(withdrawal('r1', 2));
      expect(agent.state.plan).toEqual(left);
    }
  });

  it('keeps the names that they gave the agent', () => {
    const agent = new Agent();
    const theirs = planOf([]);
    agent.overwrite({
      ...theirs,
      agent_id: 'Planner',
      metadata_template: { ...theirs.metadata_template, agent_id: 'PLANNER', extensions: { e: 1 } },
    });
    agent.apply(change('r1', [NAMES]));
    expect(agent.state.plan).toMatchObject({
      agent_id: 'Planner',
      metadata_template: { agent_id: 'PLANNER', extensions: { e: 1 } },
    });
  });
});

describe('a plan over its bounds', () => {
  it('does not count a group as added that had to go at once', () => {
    const agent = new Agent({ maxGroups: 1 });
    agent.apply(change('r1', [['a', 'b']]), change('r2', [['a', 'b']]));
    expect(agent.apply(change('r3', [['c', 'd']]))).toMatchObject({ groupsAdded: 0, groupsEvicted: 1 });
    expect(agent.groups).toEqual(['a+b']);
    expect(agent.state.revision).toBe(1);
  });

  it('lets no group of others go, though runs of ours show it too', () => {
    const agent = new Agent({ maxGroups: 1 });
    agent.overwrite(planOf([{ group_id: 'theirs', tool_names: ['x', 'y'] }]));
    agent.apply(change('r1', [['x', 'y']], { at: 1 }));
    agent.apply(change('r2', [['a', 'b']], { at: 2 }));
    agent.apply(change('r3', [['c', 'd']], { at: 3 }));
    expect(agent.groups).toEqual(['c+d', 'x+y']);
  });

  it('counts the bytes of others', () => {
    const agent = new Agent({ maxPlanBytes: 10_000 });
    agent.overwrite(
      planOf(
        Array.from({ length: 10 }, (_, i) => ({ group_id: `g${i}`, tool_names: ['x'.repeat(250), 'y'] })),
      ),
    );
    for (let i = 0; i < 50; i++) agent.apply(change(`r${i}`, [['a', `tool${i}`]], { at: i }));
    expect(Buffer.byteLength(JSON.stringify(agent.state.plan))).toBeLessThanOrEqual(10_000);
    expect(agent.groups?.length).toBeGreaterThan(10);
  });

  it('goes on to leave out what a larger group implies once it is within them again', () => {
    const agent = new Agent({ maxGroups: 2 });
    for (const [i, names] of [
      ['a', 'b'],
      ['c', 'd'],
      ['a', 'b', 'c'],
    ].entries())
      agent.apply(change(`r${i}`, [names], { at: i }));
    expect(agent.groups).toEqual(['a+b+c', 'c+d']);
    agent.apply(withdrawal('r2', 2));
    expect(agent.apply(change('r3', [['c', 'd', 'e']], { at: 3 }))).toMatchObject({ groupsCompacted: 1 });
    expect(agent.groups).toEqual(['c+d+e']);
  });
});

describe('what leaves first', () => {
  const group = (groupId: string, toolNames: readonly string[]): Evidence => ({
    groupId,
    toolNames,
    runs: 1,
    firstSeen: [1, 0],
    lastSeen: [1, 0],
    added: true,
  });
  const bounds = { maxGroups: 1, maxBytes: 1_000, sizeOf: () => 1 };

  it('is what a group of others implies', () => {
    const ours = new Map([['k1', group('g1', ['a', 'b'])]]);
    expect(compact(ours, [['a', 'b', 'c']], bounds)).toEqual({ implied: ['k1'], leastSupported: [] });
  });

  it('does not depend on the order in which groups of equal support are known', () => {
    const both = [
      ['k1', group('g1', ['a', 'b'])],
      ['k2', group('g2', ['c', 'd'])],
    ] as const;
    for (const order of [both, both.toReversed()])
      expect(compact(new Map(order), [], bounds).leastSupported).toEqual(['k2']);
  });
});

describe('whether a group is implied', () => {
  it('is told by those that are there now, whatever was asked, added and taken out before', () => {
    const names = fc
      .array(fc.constantFrom('a', 'b'), { minLength: 2, maxLength: 4 })
      .map((all) => all.sort());
    const step = fc.tuple(fc.constantFrom('add', 'remove', 'ask'), names);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const groups = new PlanGroups(undefined);
        for (const [what, toolNames] of steps) {
          const groupId = groups.idOf(toolNames);
          if (what === 'add' && groupId === undefined) groups.add(toolNames, '');
          else if (what === 'remove' && groupId !== undefined)
            groups.remove({ ...EVIDENCE, toolNames, groupId });
          else {
            const larger = groups.groups().filter((group) => group.tool_names.length > toolNames.length);
            const isImplied = larger.some((group) => isContained(toolNames, group.tool_names));
            expect(groups.implies(toolNames)).toBe(isImplied);
          }
        }
      }),
    );
  });
});

describe('the id of a group', () => {
  it('is free again with its names once the group has gone', () => {
    const groups = new PlanGroups(undefined);
    const names = ['a|b', 'c'];
    const groupId = groups.add(names, '');
    groups.remove({ groupId, toolNames: names, runs: 0, firstSeen: [0, 0], lastSeen: [0, 0], added: true });
    expect(groups.changed).toBe(false);
    expect(groups.add(['a', 'b|c'], '')).toBe(groupId);
  });

  it('is written as it is now, whatever was written of the same names before', () => {
    const of = (groupId: string, added: boolean) => formatGroup({ ...EVIDENCE, groupId, added });
    const written = [of('g1', true), of('g2', true), of('g2', false)];
    expect(written.map((text) => JSON.parse(text).slice(0, 2))).toEqual([
      ['g1', 1],
      ['g2', 1],
      ['g2', 0],
    ]);
  });
});

const EVIDENCE: Evidence = {
  groupId: '',
  toolNames: NAMES,
  runs: 1,
  firstSeen: [0, 0],
  lastSeen: [0, 0],
  added: true,
};
