import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { tlsOf } from '../../src/sidecar/listener-options.ts';
import { CertificateFiles } from '../../src/source/receiver/certificate-files.ts';
import { fanout } from '../cli/span-request.ts';
import { workFolder } from '../cli/work-folder.ts';
import { metricsOf } from '../e2e/sidecar-metrics.ts';
import { captureWarnings } from '../support/captured-warnings.ts';
import { redisClient } from '../support/redis.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { startGrpcUpstream } from './forwarder-upstreams.ts';
import { eventually, postSpans, runSidecar } from './running-sidecar.ts';

// What is amiss is seen from outside, and so is that it is well again.

const DEAD = 'http://127.0.0.1:9';
const SOON = 'service: {shutdown_timeout: 200ms}';
const SLOW_RETRY = 'retry_on_failure: {initial_interval: 30s, max_interval: 30s}';

async function readiness(admin: string): Promise<readonly [number, { status: string; degraded: string[] }]> {
  const answer = await fetch(`${admin}/readyz`);
  return [answer.status, (await answer.json()) as { status: string; degraded: string[] }];
}

async function counted(admin: string, name: string, attribute: string) {
  return (await metricsOf(new URL(admin).host)).by(name, attribute);
}

function postLogs(http: string, bytes: number): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(`${http}/v1/logs`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ x: 'y'.repeat(bytes) }),
  });
}

/** Where spans went before: it answers as `answer` says at that time. */
async function startUpstream(answer: { status: number }) {
  const open = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      if (answer.status === 0) open.add(response);
      else response.writeHead(answer.status, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const finish = () => {
    for (const response of open) response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, finish };
}

describe('with sync', () => {
  test('a destination that is away shows in readiness, metrics and log, and so does that it is back', async () => {
    const { lines, stop } = captureWarnings();
    onTestFinished(stop);
    const upstream = { status: 503 };
    const { url } = await startUpstream(upstream);
    const { http, admin } = await runSidecar(
      `${SOON}\nexporters: {otlphttp: {endpoint: "${url}", sync: true}}`,
    );
    expect(await counted(admin, 'spanplan_degraded', 'what')).toEqual({ memory: 0, forward: 0 });
    for (let trace = 1; trace <= 2; trace++) {
      expect((await postSpans(http, fanout('planner', ['a', 'b'], trace))).status).toBe(503);
    }
    expect(await readiness(admin)).toEqual([200, { status: 'ready', degraded: ['forward'] }]);
    expect(await counted(admin, 'spanplan_degraded', 'what')).toEqual({ memory: 0, forward: 1 });
    expect(await counted(admin, 'spanplan_forward_refused_total', 'reason')).toMatchObject({
      unavailable: 2,
    });
    expect(lines).toEqual([
      expect.stringMatching(/^spanplan: forwarding to .* fails \(HTTP 503\); senders are told so$/),
    ]);

    upstream.status = 200;
    expect((await postSpans(http, fanout('planner', ['a', 'b'], 3))).status).toBe(200);
    expect(await readiness(admin)).toEqual([200, { status: 'ready', degraded: [] }]);
    expect(await counted(admin, 'spanplan_degraded', 'what')).toEqual({ memory: 0, forward: 0 });
  });

  test('what the destination does not want is counted, and is no fault of the way there', async () => {
    const { url } = await startUpstream({ status: 400 });
    const { http, admin } = await runSidecar(`exporters: {otlphttp: {endpoint: "${url}", sync: true}}`);
    expect((await postSpans(http, fanout('planner', ['a', 'b']))).status).toBe(400);
    expect(await counted(admin, 'spanplan_forward_refused_total', 'reason')).toMatchObject({ rejected: 1 });
    expect((await readiness(admin))[1]).toEqual({ status: 'ready', degraded: [] });
  });
});

describe('a queue that is full', () => {
  test('on disk: senders are asked to come again, and readiness says full until there is room', async () => {
    const { url, finish } = await startUpstream({ status: 0 });
    const queue = `sending_queue: {queue_size: 20KiB, storage: "${join(workFolder(), 'q')}"}`;
    const { http, admin } = await runSidecar(
      `${SOON}\nexporters: {otlphttp: {endpoint: "${url}", ${queue}}}`,
    );
    const statuses = [];
    for (let i = 0; i < 4; i++) statuses.push((await postLogs(http, 6_000)).status);
    expect(statuses).toEqual([200, 200, 200, 503]);
    expect((await readiness(admin))[0]).toBe(503);
    expect((await readiness(admin))[1]).toMatchObject({ status: 'full' });
    expect(await counted(admin, 'spanplan_forward_refused_total', 'reason')).toMatchObject({ queue_full: 1 });
    finish();
    await eventually(async () => ((await readiness(admin))[0] === 200 ? true : undefined));
    expect((await postLogs(http, 6_000)).status).toBe(200);
  });

  test('in memory: requests are taken and dropped, and that is told without a cause that there is none of', async () => {
    const { lines, stop } = captureWarnings();
    onTestFinished(stop);
    const { url, finish } = await startUpstream({ status: 0 });
    const { http, admin } = await runSidecar(
      `${SOON}\nexporters: {otlphttp: {endpoint: "${url}", sending_queue: {queue_size: 20KiB}, ${SLOW_RETRY}}}`,
    );
    for (let i = 0; i < 4; i++) expect((await postLogs(http, 6_000)).status).toBe(200);
    expect(await readiness(admin)).toEqual([200, { status: 'ready', degraded: ['forward'] }]);
    expect(lines).toEqual([expect.stringMatching(/^spanplan: 1 request not forwarded to .*: queue_full$/)]);
    finish();
    await eventually(async () => ((await readiness(admin))[1].degraded.length === 0 ? true : undefined));
  });
});

describe('over gRPC no JSON goes on', () => {
  test('which is told at the start, and each refusal is counted and says that the request is wrong', async () => {
    const upstream = await startGrpcUpstream();
    onTestFinished(() => upstream.close());
    const { http, admin, log } = await runSidecar(`exporters: {otlp: {endpoint: "${upstream.url}"}}`);
    const warnings = log.filter(({ level }) => level === 40);
    expect(warnings).toMatchObject([
      { msg: expect.stringContaining('OTLP/JSON cannot be forwarded over gRPC') },
    ]);
    const answer = await postSpans(http, fanout('planner', ['a', 'b']));
    expect([answer.status, await answer.json()]).toMatchObject([415, { code: 3 }]);
    expect(await counted(admin, 'spanplan_forward_refused_total', 'reason')).toMatchObject({
      json_over_grpc: 1,
    });
  });

  test.each([
    ['it is forwarded over HTTP', `exporters: {otlphttp: {endpoint: "${DEAD}"}}`, '127.0.0.1:0'],
    [
      'nobody can send JSON',
      `receivers: {otlp: {protocols: {grpc: }}}\nexporters: {otlp: {endpoint: "${DEAD}"}}`,
      undefined,
    ],
  ])('and nothing is told where %s', async (_, yaml, http) => {
    const { log } = await runSidecar(`${SOON}\n${yaml}`, { http });
    expect(log.filter(({ level }) => level === 40)).toEqual([]);
  });
});

describe('the store of each tenant is looked at', () => {
  const TWO =
    'receivers: {otlp: {protocols: {http: {auth: {tokens: [{token: t}, {token: a, tenant: acme}]}}}}}';

  test('at the start: a directory that cannot be used is named', async () => {
    const folder = workFolder();
    mkdirSync(join(folder, 'plans'));
    writeFileSync(join(folder, 'plans/tenant-acme'), '');
    const started = runSidecar(TWO, { store: `lmdb:${join(folder, 'plans')}` });
    await expect(started).rejects.toThrow(/^The plans of tenant "acme": .*tenant-acme .*Give another store/);
  });

  // Keys of acme begin with spanplan:tenant:, and are not among these.
  const FORBID = ['SETUSER', 'default', 'resetkeys', '~spanplan:plan*', '~spanplan:runs*'] as const;

  test('at the start: a part of Redis that must not be read', async () => {
    const redis = await startRedisServer();
    onTestFinished(() => redis.dispose());
    const client = redisClient(redis.url);
    onTestFinished(() => client.disconnect());
    await client.acl(...FORBID);
    const started = runSidecar(TWO, { store: redis.url });
    await expect(started).rejects.toThrow(/^The plans of tenant "acme": .*NOPERM/);
  });

  test('later: one that cannot be read makes the sidecar degraded, until it can', async () => {
    const redis = await startRedisServer();
    onTestFinished(() => redis.dispose());
    const client = redisClient(redis.url);
    onTestFinished(() => client.disconnect());
    const { admin } = await runSidecar(`${SOON}\n${TWO}`, { store: redis.url });
    const degraded = async () => (await readiness(admin))[1].degraded;
    expect(await degraded()).toEqual([]);
    await client.acl(...FORBID);
    await eventually(async () => ((await degraded()).includes('redis') ? true : undefined));
    await client.acl('SETUSER', 'default', 'allkeys');
    await eventually(async () => ((await degraded()).length === 0 ? true : undefined));
  });
});

test('certificates that several listeners share are told of with the listener', async () => {
  const { lines, stop } = captureWarnings();
  onTestFinished(stop);
  const folder = workFolder();
  const [certificate, key] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
  const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url));
  copyFileSync(fixture('server.crt'), certificate);
  copyFileSync(fixture('server.key'), key);
  for (const usedBy of ['OTLP/http', 'admin port']) {
    const listener = { tls: { cert_file: certificate, key_file: key, client_ca_file: undefined } };
    const options = { ...tlsOf(listener, usedBy), certFile: certificate, keyFile: key };
    const files = await CertificateFiles.load({ ...options, reloadIntervalMillis: 20 });
    onTestFinished(() => files.close());
    files.watch(() => {});
  }
  writeFileSync(key, 'half of it');
  await expect.poll(() => lines.length).toBe(2);
  expect(lines.map((line) => line.split(' the certificate')[0]).sort()).toEqual([
    'spanplan: OTLP/http:',
    'spanplan: admin port:',
  ]);
});
