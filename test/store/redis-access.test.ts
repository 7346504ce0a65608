import { once } from 'node:events';
import { createServer } from 'node:net';
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type PlanChange, StoreError } from '../../src/store/plan-store.ts';
import { parseRedisUrl } from '../../src/store/redis/redis-url.ts';
import { RedisPlanStore } from '../../src/store/redis-plan-store.ts';
import { freshPrefix, redisClient, redisUrl } from '../support/redis.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { change, withdrawal } from './changes.ts';
import { sleep, until } from './contract.ts';

const SECRET = 'p@ss/word:%';

/** As README gives them, for `ACL SETUSER`. */
const WRITER = [
  'resetchannels',
  '~spanplan:*',
  '&spanplan:fanout_changes',
  '-@all',
  '+evalsha',
  '+eval',
  '+get',
  '+set',
  '+del',
  '+unlink',
  '+exists',
  '+pexpire',
  '+expire',
  '+persist',
  '+hget',
  '+hmget',
  '+hset',
  '+hdel',
  '+hgetall',
  '+hvals',
  '+zadd',
  '+zcard',
  '+zrange',
  '+zrevrange',
  '+zrangebyscore',
  '+zrem',
  '+zmscore',
  '+strlen',
  '+getrange',
  '+setrange',
  '+rpush',
  '+lrange',
  '+lrem',
  '+llen',
  '+mget',
  '+scan',
  '+sadd',
  '+srem',
  '+scard',
  '+sismember',
  '+smembers',
  '+publish',
  '+subscribe',
];
const READER = [
  'resetchannels',
  '%R~spanplan:*',
  '&spanplan:fanout_changes',
  '-@all',
  '+get',
  '+mget',
  '+hmget',
  '+hvals',
  '+lrange',
  '+scan',
  '+subscribe',
];

describe('least privilege', () => {
  let server: RedisServer;
  let admin: Redis;
  const users: Record<string, readonly string[]> = { writer: WRITER, reader: READER };

  beforeAll(async () => {
    server = await startRedisServer({ tcp: true });
    admin = new Redis(server.socket);
    for (const [user, rules] of Object.entries(users)) {
      await admin.call('ACL', ['SETUSER', user, 'on', `>${SECRET}`, ...rules]);
    }
    await admin.call('ACL', ['SETUSER', 'default', 'resetpass', `>${SECRET}`]);
  });
  afterAll(async () => {
    admin.disconnect();
    await server.dispose();
  });
  const storeOf = (user: string, password = SECRET) => {
    const credentials = `${user}:${encodeURIComponent(password)}`;
    const store = new RedisPlanStore({ url: `redis://${credentials}@127.0.0.1:${server.port}` });
    onTestFinished(() => store.close());
    return store;
  };

  it('is enough for writers and for readers', async () => {
    const writer = storeOf('writer');
    const reader = storeOf('reader');
    const heard: PlanChange[] = [];
    reader.subscribe((planChange) => heard.push(planChange));
    for (let i = 0; i < 50 && heard.length === 0; i++) {
      await writer.apply('warm-up', [change(`r${i}`, [['a', `t${i}`]], { agentId: 'warm-up' })]);
      await sleep(20);
    }
    expect(heard.length).toBeGreaterThan(0);
    await writer.apply('planner', [change('r1', [['a', 'b']]), change('r2', [['a', 'b']])]);
    await writer.apply('planner', [change('r1', [['c', 'd']], { revision: 2 }), withdrawal('r2', 2)]);
    for (const store of [writer, reader]) {
      expect((await store.load('planner'))?.plan.parallel_groups.map((group) => group.tool_names)).toEqual([
        ['c', 'd'],
      ]);
      expect(await store.agents()).toEqual(['planner', 'warm-up']);
      expect((await store.runs('planner')).map((run) => run.id)).toEqual(['r1']);
      expect(await store.support('planner')).toHaveLength(1);
    }
    await expect(reader.apply('planner', [change('r3', [])])).rejects.toMatchObject({ code: 'unavailable' });
    expect(await writer.forget('planner')).toBe(true);
    expect(await reader.load('planner')).toBeUndefined();
    const refusals = (await admin.call('ACL', ['LOG'])) as unknown[][];
    const whose = refusals.map((entry) => [
      entry[entry.indexOf('username') + 1],
      entry[entry.indexOf('object') + 1],
    ]);
    expect(whose.filter(([user]) => user === 'writer')).toEqual([]);
    expect(whose.filter(([user]) => user === 'reader')).toEqual([
      ['reader', 'scard'],
      ['reader', 'sismember'],
    ]);
  });

  it('names what was refused, and no password', async () => {
    for (const [user, password] of [
      ['writer', 'wrong-secret'],
      ['reader', SECRET],
    ]) {
      const store = storeOf(user ?? '', password);
      const error = await store.apply('planner', [change('r1', [])]).catch((reason) => reason);
      expect(error).toBeInstanceOf(StoreError);
      expect(error.code).toBe('unavailable');
      expect(error.message).toContain(`redis://127.0.0.1:${server.port}/0`);
      const printed = `${error.message} ${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`;
      for (const secret of ['wrong-secret', SECRET, encodeURIComponent(SECRET)])
        expect(printed).not.toContain(secret);
    }
  });
});

describe('URLs', () => {
  it.each([
    ['redis://127.0.0.1', 'redis://127.0.0.1:6379/0'],
    ['redis://u:s3cret@redis.example:1234/5', 'redis://redis.example:1234/5'],
    ['rediss://:s3cret@redis.example?db=2&password=s3cret', 'rediss://redis.example:6379/2'],
    ['redis://[::1]:7000', 'redis://[::1]:7000/0'],
    ['unix:/run/redis.sock', 'unix:/run/redis.sock'],
    ['unix:relative.sock?db=3', 'unix:relative.sock?db=3'],
    ['unix:///run/redis.sock', 'unix:/run/redis.sock'],
    ['redis+unix:///run/redis.sock?db=1&user=u&pass=s3cret', 'unix:/run/redis.sock?db=1'],
  ])('%s is printed as %s', (url, label) => {
    expect(parseRedisUrl(url).label).toBe(label);
  });

  it('give every part, decoded', () => {
    expect(parseRedisUrl(`rediss://us%40er:${encodeURIComponent(SECRET)}@h:1/2`)).toMatchObject({
      host: 'h',
      port: 1,
      username: 'us@er',
      password: SECRET,
      db: 2,
      tls: true,
    });
  });

  it.each(['', 'http://h', 'redis://h/x', 'redis://s3cret@[', 'unix:', 'redis://u:s3cret@h/1/2'])(
    'are refused where they cannot be meant: %s',
    (url) => {
      expect(() => new RedisPlanStore({ url })).toThrow(RangeError);
      expect(() => new RedisPlanStore({ url })).not.toThrow(/s3cret/);
    },
  );
});

describe('construction', () => {
  it('refuses what contradicts itself', () => {
    const cluster = new Cluster([{ host: '127.0.0.1', port: 1 }], { lazyConnect: true });
    const prefixed = new Redis({ lazyConnect: true, keyPrefix: 'x:' });
    expect(() => new RedisPlanStore({})).toThrow(RangeError);
    expect(() => new RedisPlanStore({ url: 'redis://h', client: prefixed })).toThrow(RangeError);
    expect(() => new RedisPlanStore({ client: prefixed })).toThrow(/keyPrefix/);
    expect(() => new RedisPlanStore({ client: cluster, hashTags: false })).toThrow(/hashTags/);
    expect(() => new RedisPlanStore({ client: cluster, keyPrefix: '{x}:' })).toThrow(/brace/);
    expect(() => new RedisPlanStore({ client: cluster })).not.toThrow();
  });

  it('connects to nothing yet', async () => {
    const listener = createServer().listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const address = listener.address();
    let connections = 0;
    listener.on('connection', (socket) => {
      connections++;
      socket.destroy();
    });
    const store = new RedisPlanStore({
      url: `redis://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
    });
    await sleep(50);
    expect(connections).toBe(0);
    await expect(store.load('planner')).rejects.toMatchObject({ code: 'unavailable' });
    expect(connections).toBeGreaterThan(0);
    await store.close();
    listener.close();
  });
});

describe('a client passed in', () => {
  it('stays open, and keeps no listener of ours', async () => {
    const client = redisClient();
    const listeners = () => ['error', 'close', 'ready', 'end'].map((event) => client.listenerCount(event));
    await client.ping();
    const before = listeners();
    const store = new RedisPlanStore({ client, keyPrefix: freshPrefix() });
    store.subscribe(() => undefined);
    await store.apply('planner', [change('r1', [['a', 'b']])]);
    await store.close();
    expect(listeners()).toEqual(before);
    expect(await client.ping()).toBe('PONG');
    client.disconnect();
  });

  it('that was closed is reported at once', async () => {
    const client = redisClient();
    await client.ping();
    client.disconnect();
    await until(() => client.status === 'end');
    const store = new RedisPlanStore({ client });
    const started = performance.now();
    await expect(store.load('planner')).rejects.toMatchObject({ code: 'unavailable' });
    expect(performance.now() - started).toBeLessThan(200);
  });
});

describe('tracing', () => {
  beforeEach(() => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    return () => context.disable();
  });

  it('is suppressed for every command', async () => {
    const tracer = new BasicTracerProvider().getTracer('test');
    const client = redisClient();
    onTestFinished(() => client.disconnect());
    await client.ping();
    const recorded: [string, boolean][] = [];
    const sendCommand = client.sendCommand.bind(client);
    client.sendCommand = (command, ...rest) => {
      const span = tracer.startSpan(command.name);
      recorded.push([command.name, span.isRecording()]);
      return sendCommand(command, ...rest);
    };
    const store = new RedisPlanStore({ client, keyPrefix: freshPrefix() });
    const agent = tracer.startSpan('agent');
    await context.with(trace.setSpan(context.active(), agent), async () => {
      await store.apply('planner', [change('r1', [['a', 'b']])]);
      await store.load('planner');
      await store.agents();
      await store.runs('planner');
      await store.support('planner');
      await store.forget('planner');
      await client.ping();
    });
    const names = new Set(recorded.map(([name]) => name));
    for (const name of ['evalsha', 'sismember', 'get', 'scan', 'lrange', 'hvals', 'srem'])
      expect(names).toContain(name);
    expect(recorded.filter(([, isRecording]) => isRecording)).toEqual([['ping', true]]);
    await store.close();
  });
});

describe('the process', () => {
  it('is not kept alive by a store that nobody closed', async () => {
    const { execFile } = await import('node:child_process');
    const { promisify } = await import('node:util');
    const code = `
      const { RedisPlanStore } = await import(${JSON.stringify(new URL('../../src/store/redis-plan-store.ts', import.meta.url).href)});
      const store = new RedisPlanStore({ url: process.argv[1], keyPrefix: process.argv[2] });
      store.subscribe(() => undefined);
      await store.agents();
      await new Promise((resolve) => setTimeout(resolve, 100));
      const away = new RedisPlanStore({ url: 'unix:/nowhere/redis.sock' });
      await away.agents().catch((error) => console.log(error.code));
    `;
    const args = ['--import', 'tsx', '--input-type=module', '-e', code, redisUrl(), freshPrefix()];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 10_000 });
    expect(stdout.trim()).toBe('unavailable');
  });
});
