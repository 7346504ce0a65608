import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { RedisPlanStore } from '../../src/store/redis-plan-store.ts';
import { freshPrefix, redisClient } from '../support/redis.ts';
import { change, withdrawal } from './changes.ts';
import { groupNames } from './group-names.ts';
import { redisStore, storedPlan } from './redis-stores.ts';

const redis = redisClient();
afterAll(() => redis.disconnect());

let prefix = '';
let store: RedisPlanStore;

beforeEach(() => {
  prefix = `nemo_relay:${freshPrefix()}`;
  store = redisStore(prefix);
});

const planKey = () => `${prefix}plan:planner`;
const ourPlan = () => storedPlan(redis, planKey());
const FOREIGN = {
  agent_id: 'planner',
  version: 7,
  parallel_groups: [{ group_id: 'zz-theirs', tool_names: ['x', 'y'], weight: 0.5 }],
  metadata_template: {
    run_id: 'their-run',
    agent_id: 'planner',
    parallel_hints: [
      { tool_name: 'x', group_id: 'zz-theirs', explicit: true, note: 'kept' },
      { tool_name: 'y', group_id: 'zz-theirs', explicit: false },
    ],
    extensions: { latency: { sensitivity: 3 }, ünï: ['😀'] },
    model: null,
  },
};

describe('a plan that another runtime wrote', () => {
  it('is extended; nothing in it is lost', async () => {
    await redis.set(planKey(), JSON.stringify(FOREIGN));
    expect(await store.load('planner')).toEqual({ plan: FOREIGN, revision: 0 });
    expect(await store.agents()).toEqual(['planner']);
    await store.apply('planner', [
      change('r1', [
        ['a', 'b'],
        ['x', 'y'],
      ]),
    ]);
    const plan = await ourPlan();
    expect(groupNames(plan)).toEqual(['a+b', 'x+y']);
    expect(plan).toEqual({
      ...FOREIGN,
      parallel_groups: [
        { group_id: plan.parallel_groups[0]?.group_id, tool_names: ['a', 'b'] },
        ...FOREIGN.parallel_groups,
      ],
      metadata_template: {
        ...FOREIGN.metadata_template,
        run_id: 'r1',
        parallel_hints: [
          ...plan.metadata_template.parallel_hints.slice(0, 2),
          ...FOREIGN.metadata_template.parallel_hints,
        ],
      },
    });
  });

  it('keeps its own groups when the runs that showed them too are withdrawn', async () => {
    await redis.set(planKey(), JSON.stringify(FOREIGN));
    await store.apply('planner', [
      change('r1', [
        ['a', 'b'],
        ['x', 'y'],
      ]),
    ]);
    await store.apply('planner', [withdrawal('r1', 2)]);
    expect(groupNames(await ourPlan())).toEqual(['x+y']);
    expect((await ourPlan()).metadata_template.extensions).toEqual(FOREIGN.metadata_template.extensions);
  });

  it('may be overwritten by it between our writes: our groups come back, theirs stay', async () => {
    for (const writer of [store, redisStore(prefix)]) {
      await writer.apply('planner', [change(`r-${Math.random()}`, [['a', 'b']], { at: 1 })]);
    }
    await redis.set(planKey(), JSON.stringify(FOREIGN));
    expect(await store.apply('planner', [change('r3', [['c', 'd']], { at: 3 })])).toMatchObject({
      groupsAdded: 2,
    });
    expect(groupNames(await ourPlan())).toEqual(['a+b', 'c+d', 'x+y']);
    await redis.set(planKey(), JSON.stringify(FOREIGN));
    await redisStore(prefix).apply('planner', [change('r4', [['a', 'b']], { at: 2 })]);
    const plan = await ourPlan();
    expect(groupNames(plan)).toEqual(['a+b', 'c+d', 'x+y']);
    expect(plan.metadata_template.run_id).toBe('r3');
    expect((await store.support('planner')).map((group) => group.runs).sort()).toEqual([1, 3]);
  });

  it('may give a group of ours an id of its own, which is known from then on', async () => {
    await store.apply('planner', [change('r1', [['a', 'b']], { at: 1 })]);
    const theirs = [{ group_id: 'theirs', tool_names: ['a', 'b'] }];
    await redis.set(planKey(), JSON.stringify({ ...FOREIGN, parallel_groups: theirs }));
    await store.apply('planner', [change('r2', [['a', 'b']], { at: 2 })]);
    expect(await store.support('planner')).toMatchObject([{ groupId: 'theirs', runs: 2 }]);
    for (const runId of ['r1', 'r2']) await store.apply('planner', [withdrawal(runId, 2)]);
    expect((await ourPlan()).parallel_groups).toEqual(theirs);
  });

  it('may be extended by it: a later run of known groups changes the run id only', async () => {
    await store.apply('planner', [change('r1', [['a', 'b']], { at: 1 })]);
    const ours = await ourPlan();
    const extended = { ...ours, parallel_groups: [...ours.parallel_groups, ...FOREIGN.parallel_groups] };
    await redis.set(planKey(), JSON.stringify(extended, null, 2));
    await store.apply('planner', [change('r2', [['a', 'b']], { at: 2 })]);
    expect(groupNames(await ourPlan())).toEqual(['a+b', 'x+y']);
    expect((await ourPlan()).metadata_template.run_id).toBe('r2');
    await store.apply('planner', [change('a longer run id "ü"', [['a', 'b']], { at: 3 })]);
    expect((await ourPlan()).metadata_template.run_id).toBe('a longer run id "ü"');
    expect((await store.load('planner'))?.revision).toBe(1);
  });

  it('is deleted with our last group only where it holds nothing else', async () => {
    await store.apply('planner', [change('r1', [['a', 'b']])]);
    const ours = await ourPlan();
    await redis.set(planKey(), JSON.stringify({ ...ours, theirs: 1 }));
    await store.apply('planner', [withdrawal('r1', 2)]);
    expect(await ourPlan()).toMatchObject({ theirs: 1, parallel_groups: [] });
  });

  it('comes back with the next contributing run where someone deleted it', async () => {
    await store.apply('planner', [change('r1', [['a', 'b']], { at: 1 })]);
    await redis.del(planKey());
    expect(await store.load('planner')).toBeUndefined();
    await store.apply('planner', [change('r2', [], { at: 2 })]);
    expect(await store.load('planner')).toBeUndefined();
    await store.apply('planner', [change('r3', [['c', 'd']], { at: 3 })]);
    expect(groupNames(await ourPlan())).toEqual(['a+b', 'c+d']);
  });

  it('survives the eviction of any key of ours', async () => {
    for (const kind of ['meta', 'evidence', 'applied', 'applied_at', 'runs']) {
      await store.apply('planner', [change(`before-${kind}`, [['a', 'b']], { at: 1 })]);
      await redis.del(`${prefix}fanout_${kind}:planner`);
      await store.apply('planner', [
        change(
          `after-${kind}`,
          [
            ['a', 'b'],
            ['a', kind],
          ],
          { at: 2 },
        ),
      ]);
    }
    expect(groupNames(await ourPlan())).toEqual([
      'a+applied',
      'a+applied_at',
      'a+b',
      'a+evidence',
      'a+meta',
      'a+runs',
    ]);
  });
});

describe('a stored value that is no plan', () => {
  const broken = {
    'not JSON': '{"agent_id":"planner","secret',
    'not an object': '[]',
    'no groups': '{"agent_id":"planner"}',
    'groups of another shape': JSON.stringify({ ...FOREIGN, parallel_groups: [{ group_id: 1 }] }),
    'an empty text': '',
  };
  it.each(Object.entries(broken))('is never overwritten: %s', async (_, value) => {
    await redis.set(planKey(), value);
    for (const attempt of [
      () => store.load('planner'),
      () => store.apply('planner', [change('r1', [['a', 'b']])]),
    ]) {
      const error = await attempt().catch((reason) => reason);
      expect(error).toMatchObject({ code: 'corrupt_plan' });
      expect(error.message).toContain(planKey());
      expect(error.message).not.toContain('secret');
    }
    expect(await redis.get(planKey())).toBe(value);
    expect(await redis.keys(`${prefix.replace(/[*?[\]\\]/g, '\\$&')}fanout_applied*`)).toEqual([]);
    await redis.set(planKey(), JSON.stringify(FOREIGN));
    expect(await store.apply('planner', [change('r1', [['a', 'b']])])).toMatchObject({
      applied: 1,
      duplicates: 0,
    });
  });

  it('is not overwritten where it became so after our last write', async () => {
    await store.apply('planner', [change('r1', [['a', 'b']])]);
    await redis.set(planKey(), 'oops');
    await expect(store.apply('planner', [change('r2', [['a', 'b']])])).rejects.toMatchObject({
      code: 'corrupt_plan',
    });
    expect(await redis.get(planKey())).toBe('oops');
  });

  it('may be of another type', async () => {
    await redis.hset(planKey(), 'a', '1');
    for (const attempt of [
      () => store.load('planner'),
      () => store.apply('planner', [change('r1', [['a', 'b']])]),
    ]) {
      await expect(attempt()).rejects.toMatchObject({ code: 'corrupt_plan' });
    }
    expect(await redis.type(planKey())).toBe('hash');
  });

  it.each(['runs_index', 'fanout_evidence', 'fanout_applied', 'fanout_applied_at', 'fanout_runs'])(
    'loses no run where %s is of another type: it is applied once that is mended',
    async (kind) => {
      const key = planKey().replace(/plan:(?=planner$)/, `${kind}:`);
      await redis.set(key, 'oops');
      const write = () => store.apply('planner', [change('r1', [['a', 'b']])]);
      await expect(write()).rejects.toMatchObject({ code: 'corrupt_plan' });
      expect(await redis.get(planKey())).toBeNull();
      await redis.del(key);
      expect(await write()).toMatchObject({ applied: 1, duplicates: 0, groupsAdded: 1 });
    },
  );
});

describe('run records of another runtime', () => {
  const theirRun = (id: string, agent = 'planner') =>
    JSON.stringify({ id, agent_id: agent, started_at: '2026-01-01T00:00:00Z', calls: [], unknown: 1 });

  it('are read in their place, and never trimmed', async () => {
    const bounded = redisStore(prefix, { maxRunsPerAgent: 1 });
    const index = `${prefix}runs_index:planner`;
    const write = async (id: string, json: string) => {
      await redis.set(`${prefix}runs:planner:${id}`, json);
      await redis.rpush(index, id);
    };
    await write('t1', theirRun('t1'));
    await bounded.apply('planner', [change('r1', [])]);
    await write('t2', theirRun('t2'));
    await write('unreadable', '{');
    await write('stranger', theirRun('stranger', 'other'));
    await redis.rpush(index, 'expired');
    await bounded.apply('planner', [change('r2', [])]);
    expect(await redis.lrange(index, 0, -1)).toEqual(['t1', 't2', 'unreadable', 'stranger', 'expired', 'r2']);
    expect((await bounded.runs('planner')).map((run) => run.id)).toEqual(['t1', 't2', 'r2']);
    expect((await bounded.runs('planner', 2)).map((run) => run.id)).toEqual(['t2', 'r2']);
    expect(await redis.exists(`${prefix}runs:planner:r1`)).toBe(0);
    expect(await redis.ttl(index)).toBe(-1);
    expect(await redis.ttl(`${prefix}runs:planner:t1`)).toBe(-1);
  });

  it('show the agent also where it has no plan', async () => {
    await redis.rpush(`${prefix}runs_index:loner`, 't1');
    expect(await store.agents()).toEqual(['loner']);
    expect(await store.forget('loner')).toBe(true);
    expect(await store.agents()).toEqual([]);
  });
});

describe('what stands in Redis', () => {
  const key = (kind: string) => planKey().replace(/plan:(?=planner$)/, `${kind}:`);

  it('stays for as long as the plan does, and goes in time after it', async () => {
    const aging = redisStore(prefix, { appliedRunTtlSeconds: 120 });
    const kinds = ['fanout_meta', 'fanout_evidence'];
    const ttls = () => Promise.all(kinds.map((kind) => redis.ttl(key(kind))));
    await aging.apply('planner', [
      change('r1', [
        ['a', 'b'],
        ['c', 'd'],
      ]),
    ]);
    expect(await ttls()).toEqual([-1, -1]);
    await aging.apply('planner', [withdrawal('r1', 2)]);
    expect(await redis.exists(planKey(), key('fanout_evidence'))).toBe(0);
    expect(await redis.ttl(key('fanout_meta'))).toBeGreaterThan(100);
    await aging.apply('planner', [change('r2', [['a', 'b']])]);
    expect(await ttls()).toEqual([-1, -1]);
  });

  it('names no record any more that was withdrawn, and no run that was forgotten', async () => {
    const bounded = redisStore(prefix, { maxAppliedRuns: 2 });
    for (const id of ['r1', 'r2', 'r3']) await bounded.apply('planner', [change(id, [['a', 'b']])]);
    await bounded.apply('planner', [withdrawal('r3', 2)]);
    expect(await redis.lrange(key('runs_index'), 0, -1)).toEqual(['r1', 'r2']);
    expect(await redis.exists(`${key('runs')}:r3`)).toBe(0);
    expect((await redis.hkeys(key('fanout_applied'))).sort()).toEqual(['r2', 'r3']);
    expect(await redis.zrange(key('fanout_applied_at'), '0', '-1')).toEqual(['r2', 'r3']);
  });

  it('is not kept of an agent whose room another one took: it needs room again', async () => {
    const bounded = redisStore(prefix, { maxAgents: 1 });
    await bounded.apply('planner', [change('r1', [['a', 'b']])]);
    await redis.del(planKey(), key('runs_index'), key('fanout_applied'));
    await bounded.apply('other', [change('r1', [['a', 'b']], { agentId: 'other' })]);
    await expect(bounded.apply('planner', [change('r2', [['a', 'b']])])).rejects.toMatchObject({
      code: 'agent_limit',
    });
  });

  it('is the shared format under the shared keys, and nothing of ours inside the plan', async () => {
    await store.apply('planner', [change('r1', [['search', 'fetch']])]);
    expect(await redis.get(planKey())).toBe(
      '{"agent_id":"planner","parallel_groups":[{"group_id":"fanout:sha256:98257","tool_names":["fetch","search"]}],"metadata_template":{"run_id":"r1","agent_id":"planner","parallel_hints":[{"tool_name":"fetch","group_id":"fanout:sha256:98257","explicit":false},{"tool_name":"search","group_id":"fanout:sha256:98257","explicit":false}],"extensions":{}}}',
    );
    expect(JSON.parse((await redis.get(`${prefix}runs:planner:r1`)) ?? '')).toMatchObject({
      id: 'r1',
      agent_id: 'planner',
    });
    expect(await redis.lrange(`${prefix}runs_index:planner`, 0, -1)).toEqual(['r1']);
    expect((await redis.keys(`${prefix}*`)).map((key) => key.slice(prefix.length)).sort()).toEqual([
      'fanout_agents',
      'fanout_applied:planner',
      'fanout_applied_at:planner',
      'fanout_evidence:planner',
      'fanout_meta:planner',
      'fanout_runs:planner',
      'plan:planner',
      'runs:planner:r1',
      'runs_index:planner',
    ]);
  });

  it('carries hash tags where asked, and goes in time where no plan needs it', async () => {
    const tagged = redisStore(prefix, { hashTags: true, runTtlSeconds: 60, appliedRunTtlSeconds: 120 });
    await tagged.apply('planner', [change('r1', [])]);
    const tag = '{b3236d8e6e6dbfd2}';
    const keys = (await redis.keys(`${prefix}*`)).map((key) => key.slice(prefix.length)).sort();
    expect(
      keys.filter((key) => key.startsWith('{')).map((key) => key.replace(/\{[0-9a-f]{16}\}/, tag)),
    ).toEqual(
      [
        'fanout_applied:planner',
        'fanout_applied_at:planner',
        'fanout_runs:planner',
        'runs:planner:r1',
        'runs_index:planner',
      ].map((key) => `${tag}:${key}`),
    );
    for (const key of keys.filter((each) => each.startsWith('{'))) {
      expect(await redis.ttl(prefix + key)).toBeGreaterThan(50);
    }
  });
});
