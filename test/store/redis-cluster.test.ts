import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cluster, Redis } from 'ioredis';
import { Cluster as Cluster5 } from 'ioredis5';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { RedisPlanStore } from '../../src/store/redis-plan-store.ts';
import { freshPrefix } from '../support/redis.ts';
import { findServer, freePort, type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { change, withdrawal } from './changes.ts';
import { describePlanStore, sleep, until } from './contract.ts';
import { storesOf } from './redis-stores.ts';

/** A real cluster of three masters on loopback ports. */
async function startCluster(): Promise<readonly RedisServer[]> {
  const servers: RedisServer[] = [];
  for (let i = 0; i < 3; i++) {
    const args = [
      '--cluster-enabled',
      'yes',
      '--cluster-port',
      String(await freePort()),
      '--cluster-node-timeout',
      '2000',
    ];
    servers.push(await startRedisServer({ tcp: true, args }));
  }
  const admins = servers.map((server) => new Redis(server.socket));
  const [first] = servers;
  for (const [i, admin] of admins.entries()) {
    const from = Math.round((16_384 * i) / 3);
    const to = Math.round((16_384 * (i + 1)) / 3) - 1;
    await admin.call('CLUSTER', ['ADDSLOTSRANGE', from, to]).catch(() => addSlots(admin, from, to));
    const bus = await busPort(admins[0]);
    if (i > 0) await admin.call('CLUSTER', ['MEET', '127.0.0.1', first?.port ?? 0, bus]);
  }
  for (const admin of admins) {
    await until(
      async () => String(await admin.call('CLUSTER', ['INFO'])).includes('cluster_state:ok'),
      20_000,
    );
    admin.disconnect();
  }
  return servers;
}

/** For servers before 7.0. */
async function addSlots(admin: Redis, from: number, to: number): Promise<void> {
  const slots = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  await admin.call('CLUSTER', ['ADDSLOTS', ...slots]);
}

async function busPort(admin: Redis | undefined): Promise<number> {
  const [, port] =
    /cluster-port\n?,?(\d+)/.exec(String(await admin?.call('CONFIG', ['GET', 'cluster-port']))) ?? [];
  return Number(port);
}

let servers: readonly RedisServer[] = [];
beforeAll(async () => {
  servers = await startCluster();
}, 60_000);
afterAll(() => Promise.all(servers.map((server) => server.dispose())));

const nodes = () => servers.map(({ port }) => ({ host: '127.0.0.1', port }));

for (const [version, Client] of [
  ['6', Cluster],
  ['5', Cluster5],
] as const) {
  describePlanStore(`RedisPlanStore, with a Cluster client of ioredis ${version}`, () => {
    return storesOf(new Client(nodes()));
  });
}

it('spreads agents over the slots of a cluster', async () => {
  const client = new Cluster(nodes());
  onTestFinished(() => client.disconnect());
  const keyPrefix = freshPrefix();
  const store = new RedisPlanStore({ client, keyPrefix });
  for (let i = 0; i < 12; i++)
    await store.apply(`agent${i}`, [change('r', [['a', 'b']], { agentId: `agent${i}` })]);
  const counts = await Promise.all(
    client.nodes('master').map(async (node) => (await node.keys(`${keyPrefix}{*plan:*`)).length),
  );
  expect(counts.filter((count) => count > 0).length).toBeGreaterThan(1);
  expect(await store.agents()).toHaveLength(12);
  await store.close();
});

describe('a client of Sentinel', () => {
  it('is led to the new primary after a failover', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sp-'));
    const [primary, replica] = [await startRedisServer({ tcp: true }), await startRedisServer({ tcp: true })];
    const replicaAdmin = new Redis(replica.socket);
    await replicaAdmin.call('REPLICAOF', ['127.0.0.1', primary.port]);
    const config = join(directory, 'sentinel.conf');
    const port = await freePort();
    writeFileSync(
      config,
      [
        `port ${port}`,
        `dir ${directory}`,
        `sentinel monitor plans 127.0.0.1 ${primary.port} 1`,
        'sentinel down-after-milliseconds plans 500',
        'sentinel failover-timeout plans 2000',
      ].join('\n'),
    );
    const sentinel = spawn(findServer(), [config, '--sentinel'], { stdio: 'ignore' });
    const watcher = new Redis(port);
    watcher.on('error', () => undefined);
    const client = new Redis({ sentinels: [{ host: '127.0.0.1', port }], name: 'plans' });
    client.on('error', () => undefined);
    const store = new RedisPlanStore({ client });
    onTestFinished(async () => {
      await store.close();
      client.disconnect();
      replicaAdmin.disconnect();
      watcher.disconnect();
      sentinel.kill();
      await Promise.all([primary.dispose(), replica.dispose()]);
      rmSync(directory, { recursive: true, force: true });
    });
    const applied = (id: string) =>
      store.apply('planner', [change(id, [['a', 'b']])]).then(
        () => true,
        () => false,
      );
    await until(() => applied('r1'), 10_000);
    // The replica is known to the sentinel, and has what was written.
    await until(async () => {
      const replicas = JSON.stringify(await watcher.call('SENTINEL', ['REPLICAS', 'plans']).catch(() => ''));
      return (
        replicas.includes(String(replica.port)) && (await replicaAdmin.exists('spanplan:plan:planner')) === 1
      );
    }, 15_000);
    await primary.stop();
    await until(() => applied('r2'), 15_000);
    await sleep(50);
    expect((await store.support('planner')).map((group) => group.runs)).toEqual([2]);
    expect(await store.apply('planner', [withdrawal('r2', 2)])).toMatchObject({ applied: 1 });
  }, 60_000);
});
