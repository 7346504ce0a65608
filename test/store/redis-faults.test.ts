import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { RedisPlanStore, type RedisPlanStoreOptions } from '../../src/store/redis-plan-store.ts';
import { WriteQueue } from '../../src/store/write-queue.ts';
import type { WriteOutcome } from '../../src/store/write-queue-options.ts';
import { type FlakyProxy, startFlakyProxy } from '../support/flaky-proxy.ts';
import { freshPrefix } from '../support/redis.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { change } from './changes.ts';
import { sleep, until } from './contract.ts';

let server: RedisServer;
let proxy: FlakyProxy;
let keyPrefix = '';

beforeAll(async () => {
  server = await startRedisServer({ persistent: true });
  proxy = await startFlakyProxy(server.socket);
});
afterAll(async () => {
  await proxy.dispose();
  await server.dispose();
});
beforeEach(() => {
  keyPrefix = freshPrefix();
  proxy.mode = 'pass';
  proxy.onRequest = undefined;
});

function makeStore(options: Partial<RedisPlanStoreOptions> = {}): RedisPlanStore {
  const store = new RedisPlanStore({ ...(options.client ? {} : { url: proxy.url }), keyPrefix, ...options });
  onTestFinished(() => store.close());
  return store;
}

/** Loses the reply to the next script, whose work is done then. */
function loseNextReply(): void {
  proxy.onRequest = (text) => {
    if (!text.includes('evalsha')) return;
    proxy.onRequest = undefined;
    proxy.mode = 'lose-replies';
    setTimeout(() => {
      proxy.mode = 'pass';
    }, 30);
  };
}

describe('a reply lost on the wire', () => {
  it.each(['a new group', 'a known group', 'no group'])(
    'changes nothing when the run is sent again: %s',
    async (kind) => {
      const store = makeStore();
      await store.apply('planner', [change('r0', [['a', 'b']])]);
      const groups = { 'a new group': [['c', 'd']], 'a known group': [['a', 'b']] }[kind] ?? [];
      const before = proxy.lost;
      loseNextReply();
      const run = change('r1', groups, { at: 1 });
      await store
        .apply('planner', [run])
        .catch((error) => expect(error).toMatchObject({ code: 'unavailable' }));
      expect(proxy.lost).toBeGreaterThan(before);
      await until(() =>
        store.apply('planner', [run]).then(
          () => true,
          () => false,
        ),
      );
      expect(
        (await store.support('planner')).map((group) => [group.toolNames.join(), group.runs]).sort(),
      ).toEqual(
        {
          'a new group': [
            ['a,b', 1],
            ['c,d', 1],
          ],
          'a known group': [['a,b', 2]],
        }[kind] ?? [['a,b', 1]],
      );
      expect((await store.runs('planner')).map((each) => each.id)).toEqual(['r0', 'r1']);
      const redis = new Redis(server.socket);
      expect(await redis.lrange(`${keyPrefix}runs_index:planner`, 0, -1)).toEqual(['r0', 'r1']);
      redis.disconnect();
    },
  );

  it('is made good by the queue: every run counts once', async () => {
    const settled: WriteOutcome[] = [];
    const queue = new WriteQueue(makeStore(), {
      minRetryMillis: 5,
      observer: { settled: (_, outcome) => settled.push(outcome) },
    });
    for (let i = 0; i < 20; i++) {
      if (i % 4 === 0) loseNextReply();
      queue.enqueue('planner', change(`r${i}`, [['a', 'b']]), undefined);
      await queue.drain(3_000);
    }
    expect(settled).toHaveLength(20);
    expect(settled.every((outcome) => outcome === 'learned' || outcome === 'duplicate')).toBe(true);
    expect((await makeStore().support('planner')).map((group) => group.runs)).toEqual([20]);
  });
});

const allCalls = (store: RedisPlanStore) => [
  () => store.load('planner'),
  () => store.agents(),
  () => store.apply('planner', [change('r1', [])]),
  () => store.apply('planner', [change('r2', [['c', 'd']])]),
  () => store.runs('planner'),
  () => store.support('planner'),
  () => store.forget('planner'),
];

async function expectAllToFailInTime(store: RedisPlanStore): Promise<void> {
  const started = performance.now();
  await Promise.all(
    allCalls(store).map(async (call) => {
      await expect(call()).rejects.toMatchObject({ code: 'unavailable' });
      expect(performance.now() - started).toBeLessThan(2_000);
    }),
  );
}

const answers = (store: RedisPlanStore) =>
  store.load('planner').then(
    () => true,
    () => false,
  );

describe('Redis that does not answer', () => {
  it('fails every call within 2 seconds, with whatever client', async () => {
    const client = new Redis(server.socket);
    client.on('error', () => undefined);
    onTestFinished(() => client.disconnect());
    const stores = [makeStore(), makeStore({ client })];
    for (const store of stores) await store.apply('planner', [change('r0', [['a', 'b']])]);
    server.freeze();
    await Promise.all(stores.map(expectAllToFailInTime));
    server.thaw();
    for (const store of stores) await until(() => answers(store));
  });

  it('from the start, too', async () => {
    proxy.mode = 'hang';
    await expectAllToFailInTime(makeStore());
  });

  it('is left for a new connection after a while', async () => {
    const store = makeStore();
    await store.load('planner');
    proxy.mode = 'hang';
    await expect(store.load('planner')).rejects.toMatchObject({ code: 'unavailable' });
    await sleep(1_700);
    proxy.mode = 'pass';
    await until(() => answers(store));
  });

  it('does not hold up closing', async () => {
    const store = makeStore();
    await store.load('planner');
    proxy.mode = 'hang';
    const pending = expect(store.load('planner')).rejects.toMatchObject({ code: 'closed' });
    const started = performance.now();
    await store.close();
    await pending;
    expect(performance.now() - started).toBeLessThan(500);
  });
});

describe('Redis away', () => {
  it('fails calls within 2 seconds, keeps runs in the queue, and goes on by itself', async () => {
    const store = makeStore();
    const client = new Redis(server.socket);
    client.on('error', () => undefined);
    onTestFinished(() => client.disconnect());
    const other = makeStore({ client });
    await store.apply('planner', [change('r0', [['a', 'b']])]);
    await other.load('planner');
    await server.stop();

    const settled: WriteOutcome[] = [];
    const queue = new WriteQueue(store, { observer: { settled: (_, outcome) => settled.push(outcome) } });
    for (let i = 1; i <= 50; i++)
      queue.enqueue(`agent${i % 5}`, change(`r${i}`, [['a', `t${i}`]]), undefined);
    for (const each of [store, other]) {
      const started = performance.now();
      await expect(each.load('planner')).rejects.toMatchObject({ code: 'unavailable' });
      await expect(each.apply('planner', [change('x', [])])).rejects.toMatchObject({ code: 'unavailable' });
      expect(performance.now() - started).toBeLessThan(2_000);
    }
    await sleep(700);
    expect(settled).toEqual([]);
    expect(queue.size).toBe(50);

    await server.start();
    await until(() => queue.size === 0, 6_000);
    expect(settled).toEqual(Array(50).fill('learned'));
    expect(await store.agents()).toEqual(['agent0', 'agent1', 'agent2', 'agent3', 'agent4', 'planner']);
    for (const each of [store, other]) {
      await until(() =>
        each.load('planner').then(
          (stored) => stored?.revision === 1,
          () => false,
        ),
      );
    }
  });

  it('is waited for at the start, for a moment', async () => {
    await server.stop();
    const store = makeStore();
    const early = store.apply('planner', [change('r1', [['a', 'b']])]);
    await server.start();
    await early.catch((error) => expect(error).toMatchObject({ code: 'unavailable' }));
    await until(() =>
      store.apply('planner', [change('r1', [['a', 'b']])]).then(
        () => true,
        () => false,
      ),
    );
    expect((await store.support('planner')).map((group) => group.runs)).toEqual([1]);
  });

  it('that lost everything gets the plan of what comes then, and old snapshots do no harm', async () => {
    const store = makeStore();
    await store.apply('planner', [change('r1', [['a', 'b']])]);
    const redis = new Redis(server.socket);
    await redis.flushall();
    await redis.script('FLUSH');
    await store.apply('planner', [
      change('r2', [
        ['a', 'b'],
        ['c', 'd'],
      ]),
    ]);
    expect((await store.load('planner'))?.plan.parallel_groups).toHaveLength(2);
    expect((await store.support('planner')).map((group) => group.runs)).toEqual([1, 1]);
    redis.disconnect();
  });
});

describe('scripts', () => {
  it('survive SCRIPT FLUSH and a restart', async () => {
    const store = makeStore();
    const redis = new Redis(server.socket);
    redis.on('error', () => undefined);
    for (let i = 0; i < 3; i++) {
      await store.apply('planner', [change(`r${i}`, [['a', 'b']])]);
      await redis.script('FLUSH');
    }
    await server.stop();
    await server.start();
    await until(() =>
      store.apply('planner', [change('r9', [['a', 'b']])]).then(
        () => true,
        () => false,
      ),
    );
    expect((await store.support('planner')).map((group) => group.runs)).toEqual([4]);
    redis.disconnect();
  });

  it('are sent by their hash where the server knows them', async () => {
    const store = makeStore();
    await store.apply('planner', [change('r1', [['a', 'b']])]);
    let sent = '';
    proxy.onRequest = (text) => {
      sent += text;
    };
    await store.apply('planner', [change('r2', [['a', 'b']])]);
    expect(sent.match(/evalsha/g)).toHaveLength(1);
    expect(sent).not.toContain('redis.call');
  });
});

describe('the subscription', () => {
  it('is taken up again after a restart', async () => {
    const reader = makeStore();
    const writer = makeStore();
    const heard = new Set<string>();
    reader.subscribe(({ agentId }) => heard.add(agentId));
    const write = (agentId: string, i: number) =>
      writer.apply(agentId, [change(`r${i}`, [['a', `t${i}`]], { agentId })]).catch(() => undefined);
    for (let i = 0; i < 100 && !heard.has('before'); i++) await write('before', i).then(() => sleep(20));
    await server.stop();
    await server.start();
    for (let i = 0; i < 100 && !heard.has('after'); i++) await write('after', i).then(() => sleep(50));
    expect([...heard]).toEqual(['before', 'after']);
  });
});
