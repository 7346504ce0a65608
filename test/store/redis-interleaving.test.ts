import { Redis } from 'ioredis';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { RedisPlanStore } from '../../src/store/redis-plan-store.ts';
import { freshPrefix, redisUrl } from '../support/redis.ts';
import { change, withdrawal } from './changes.ts';
import { groupNames } from './group-names.ts';

/** A client on which a test can do something right before the next script is sent. */
class PausableRedis extends Redis {
  readonly beforeScripts: ((() => Promise<unknown>) | undefined)[] = [];

  override sendCommand(...args: Parameters<Redis['sendCommand']>): unknown {
    const [command] = args;
    const before = command.name === 'evalsha' ? this.beforeScripts.shift() : undefined;
    if (before === undefined) return super.sendCommand(...args);
    before().then(
      () => super.sendCommand(...args),
      (error) => command.reject(error),
    );
    return command.promise;
  }
}

/** Two writers of one agent: what `late` sends is computed before, and arrives after, what `other` writes. */
let late: RedisPlanStore;
let client: PausableRedis;
let other: RedisPlanStore;
let keyPrefix = '';

beforeEach(async () => {
  keyPrefix = freshPrefix();
  client = new PausableRedis(redisUrl().slice('unix:'.length));
  late = new RedisPlanStore({ client, keyPrefix });
  other = new RedisPlanStore({ url: redisUrl(), keyPrefix });
  onTestFinished(async () => {
    await Promise.all([late.close(), other.close()]);
    client.disconnect();
  });
  await late.apply('planner', [change('r1', [['a', 'b']], { at: 1 })]);
});

const groups = async () => groupNames((await other.load('planner'))?.plan);
const counts = async () =>
  Object.fromEntries(
    (await other.support('planner')).map((group) => [group.toolNames.join('+'), group.runs]),
  );
const runId = async () => (await other.load('planner'))?.plan.metadata_template.run_id;

describe('a write computed from what no longer holds', () => {
  it('is computed again where another writer added a group', async () => {
    client.beforeScripts.push(() => other.apply('planner', [change('r2', [['c', 'd']], { at: 2 })]));
    const outcome = await late.apply('planner', [change('r3', [['e', 'f']], { at: 3 })]);
    expect(outcome).toMatchObject({ conflicts: 1, revision: 3 });
    expect(await groups()).toEqual(['a+b', 'c+d', 'e+f']);
  });

  it('needs no second try where neither adds a group: both count', async () => {
    client.beforeScripts.push(() => other.apply('planner', [change('r2', [['a', 'b']], { at: 9 })]));
    const outcome = await late.apply('planner', [change('r3', [['a', 'b']], { at: 3 })]);
    expect(outcome).toMatchObject({ conflicts: 0, revision: 1 });
    expect(await counts()).toEqual({ 'a+b': 3 });
    expect(await runId()).toBe('r2');
  });

  it('needs none either where the other one moved only the run id', async () => {
    client.beforeScripts.push(() =>
      other.apply('planner', [change('a much longer id', [['a', 'b']], { at: 9 })]),
    );
    const outcome = await late.apply('planner', [change('r3', [['c', 'd']], { at: 3 })]);
    expect(outcome).toMatchObject({ conflicts: 0, revision: 2 });
    expect(await groups()).toEqual(['a+b', 'c+d']);
    expect(await counts()).toEqual({ 'a+b': 2, 'c+d': 1 });
    expect(await runId()).toBe('a much longer id');
  });

  it('is computed again where it replaces a run and another writer counted one', async () => {
    // The first script learns that r1 was applied before; the second would write counts.
    client.beforeScripts.push(undefined, () =>
      other.apply('planner', [change('r2', [['a', 'b']], { at: 2 })]),
    );
    await late.apply('planner', [
      change(
        'r1',
        [
          ['a', 'b'],
          ['c', 'd'],
        ],
        { at: 3, revision: 2 },
      ),
    ]);
    expect(await counts()).toEqual({ 'a+b': 2, 'c+d': 1 });
    expect(await runId()).toBe('r1');
  });

  it('is computed again where the agent was forgotten and began anew, at the same revision', async () => {
    await other.forget('planner');
    await other.apply('planner', [change('r9', [['x', 'y']], { at: 9 })]);
    await late.apply('planner', [change('r3', [['a', 'b']], { at: 3 })]);
    expect(await groups()).toEqual(['a+b', 'x+y']);
    expect(await counts()).toEqual({ 'a+b': 1, 'x+y': 1 });
    expect(await runId()).toBe('r9');
  });

  it('does not bring back the run id of a run that another writer withdrew', async () => {
    await late.apply('planner', [change('r9', [['a', 'b']], { at: 9 })]);
    await other.apply('planner', [withdrawal('r9', 2)]);
    expect(await runId()).toBe('r1');
    await late.apply('planner', [change('r5', [['a', 'b']], { at: 5 })]);
    expect(await runId()).toBe('r5');
    expect(await counts()).toEqual({ 'a+b': 2 });
  });

  it('gets its turn against writers who always come first, and gives it back', async () => {
    const interfere = (i: number) => () =>
      other.apply('planner', [change(`o${i}`, [['o', `t${i}`]], { at: i })]);
    client.beforeScripts.push(interfere(1), interfere(2));
    const outcome = await late.apply('planner', [change('r3', [['c', 'd']], { at: 3 })]);
    expect(outcome).toMatchObject({ conflicts: 2, groupsAdded: 1 });
    expect(await groups()).toEqual(['a+b', 'c+d', 'o+t1', 'o+t2']);
    const started = performance.now();
    await other.apply('planner', [change('o4', [['o', 't4']], { at: 4 })]);
    expect(performance.now() - started).toBeLessThan(150);
  });

  it('gives a turn back where another writer had delivered its run by then', async () => {
    const run = change('r3', [['c', 'd']], { at: 3 });
    client.beforeScripts.push(
      () => other.apply('planner', [change('o1', [['o', 't1']])]),
      () => other.apply('planner', [change('o2', [['o', 't2']])]),
      () => other.apply('planner', [run]),
    );
    expect(await late.apply('planner', [run])).toMatchObject({ applied: 0, duplicates: 1, conflicts: 2 });
    expect(await client.exists(`${keyPrefix}fanout_turn:planner`)).toBe(0);
  });

  it('counts a run once that two writers deliver at the same time', async () => {
    client.beforeScripts.push(() => other.apply('planner', [change('r2', [['a', 'b']], { at: 2 })]));
    const outcome = await late.apply('planner', [change('r2', [['a', 'b']], { at: 2 })]);
    expect(outcome).toMatchObject({ applied: 0, duplicates: 1 });
    expect(await counts()).toEqual({ 'a+b': 2 });
  });
});
