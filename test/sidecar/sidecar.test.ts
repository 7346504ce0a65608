import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { fanout } from '../cli/span-request.ts';
import { workFolder } from '../cli/work-folder.ts';
import { captureWarnings } from '../support/captured-warnings.ts';
import { freshPrefix, redisClient, redisUrl } from '../support/redis.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { eventually, groupsOf, learnedPlan, postSpans, QUICK, runSidecar } from './running-sidecar.ts';

const TENANTS = `
${QUICK}
receivers:
  otlp:
    protocols:
      http:
        auth:
          tokens:
            - {token: token-a, tenant: acme}
            - {token: token-b, tenant: "b:plan:{x}*/.."}
            - {token: operator}
`;
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const [ACME, OTHER, OPERATOR] = [bearer('token-a'), bearer('token-b'), bearer('operator')];

describe('tenants', () => {
  test('neither read nor change the plans of each other', async () => {
    const prefix = freshPrefix();
    const { http, admin } = await runSidecar(TENANTS, { store: redisUrl(), keyPrefix: prefix });
    expect((await postSpans(http, fanout('planner', ['a1', 'a2'], 1))).status).toBe(401);
    expect((await postSpans(http, fanout('planner', ['a1', 'a2'], 1), ACME)).status).toBe(200);
    // The same trace, even: it is another one for another tenant.
    expect((await postSpans(http, fanout('planner', ['b1', 'b2'], 1), OTHER)).status).toBe(200);
    expect((await postSpans(http, fanout('planner', ['o1', 'o2'], 1), OPERATOR)).status).toBe(200);

    expect(groupsOf(await learnedPlan(admin, 'planner', ACME))).toEqual([['a1', 'a2']]);
    expect(groupsOf(await learnedPlan(admin, 'planner', OTHER))).toEqual([['b1', 'b2']]);
    expect(groupsOf(await learnedPlan(admin, 'planner', OPERATOR))).toEqual([['o1', 'o2']]);
    for (const headers of [{}, bearer('token-c'), { authorization: 'Basic token-a' }]) {
      expect((await fetch(`${admin}/v1/plans/planner`, { headers })).status).toBe(401);
    }

    const client = redisClient();
    onTestFinished(() => client.disconnect());
    const keys = (await client.keys(`${prefix}*`)).filter((key) => /plan:planner$/.test(key)).sort();
    expect(keys).toEqual(
      [
        `${prefix}plan:planner`,
        `${prefix}tenant:acme:plan:planner`,
        `${prefix}tenant:b%3Aplan%3A%7Bx%7D%2A%2F..:plan:planner`,
      ].sort(),
    );
  });

  test('metrics are those of all of them, and only for a token without a tenant', async () => {
    const { http, admin } = await runSidecar(TENANTS);
    for (const headers of [ACME, OTHER, OPERATOR])
      await postSpans(http, fanout('planner', ['a', 'b'], 1), headers);
    await Promise.all([ACME, OTHER, OPERATOR].map((headers) => learnedPlan(admin, 'planner', headers)));
    expect((await fetch(`${admin}/metrics`, { headers: ACME })).status).toBe(403);
    const text = await (await fetch(`${admin}/metrics`, { headers: OPERATOR })).text();
    expect(text).toMatch(/^spanplan_spans_received_total 9$/m);
    expect(text).toMatch(/^spanplan_runs_learned_total 3$/m);
    expect(await (await fetch(`${admin}/metrics`, { headers: OPERATOR })).text()).toMatch(
      /^spanplan_spans_learned_total 9$/m,
    );
  });

  test('health and readiness are told to anyone', async () => {
    const { admin } = await runSidecar(TENANTS);
    for (const path of ['/healthz', '/readyz']) expect((await fetch(admin + path)).status).toBe(200);
    expect((await fetch(`${admin}/openapi.json`)).status).toBe(401);
  });
});

describe('readiness', () => {
  test('while Redis is down spans are taken, and learned once it is back', async () => {
    const redis = await startRedisServer();
    onTestFinished(() => redis.dispose());
    await redis.stop();
    const { http, admin } = await runSidecar(QUICK, { store: redis.url });
    const readiness = async () => {
      const answer = await fetch(`${admin}/readyz`);
      return [answer.status, await answer.json()];
    };
    expect(await readiness()).toEqual([200, { status: 'ready', degraded: ['redis'] }]);
    const asked = performance.now();
    const plan = await fetch(`${admin}/v1/plans/planner`);
    expect([plan.status, plan.headers.get('retry-after')]).toEqual([503, '2']);
    expect(performance.now() - asked).toBeLessThan(2_500);
    expect((await postSpans(http, fanout('planner', ['fetch', 'search']))).status).toBe(200);

    await redis.start();
    const back = await eventually(async () => {
      const answer = await fetch(`${admin}/v1/plans/planner`);
      return answer.ok
        ? ((await answer.json()) as { parallel_groups: { tool_names: string[] }[] })
        : undefined;
    });
    expect(groupsOf(back)).toEqual([['fetch', 'search']]);
    await eventually(async () => (JSON.stringify(await readiness()).includes('redis') ? undefined : true));

    await redis.stop();
    // The last plan known is better than none, and says what it is.
    const stale = await eventually(async () => {
      const answer = await fetch(`${admin}/v1/plans/planner`);
      return answer.headers.get('spanplan-stale') === null ? undefined : answer;
    });
    expect(stale.status).toBe(200);
    await eventually(async () => (JSON.stringify(await readiness()).includes('redis') ? true : undefined));
  });

  test('is full while there is no room for more, and recovers', async () => {
    const { http, admin } = await runSidecar(
      'receivers: {otlp: {max_in_flight_size: 128KiB, protocols: {http: {max_request_body_size: 64KiB}, grpc: {max_request_body_size: 64KiB}}}}',
    );
    const stuck = Array.from({ length: 2 }, () => slowPost(http, 64 * 1_024 - 10));
    await eventually(async () => ((await fetch(`${admin}/readyz`)).status === 503 ? true : undefined));
    expect(await (await fetch(`${admin}/readyz`)).json()).toEqual({ status: 'full', degraded: [] });
    const refused = await postSpans(http, fanout('planner', ['a', 'b']));
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([
      503,
      expect.stringMatching(/^[1-3]$/),
    ]);
    for (const { finish } of stuck) finish();
    await Promise.all(stuck.map(({ answer }) => answer));
    await eventually(async () => ((await fetch(`${admin}/readyz`)).status === 200 ? true : undefined));
    expect((await postSpans(http, fanout('planner', ['a', 'b']))).status).toBe(200);
  });
});

describe('forwarding', () => {
  test('what is taken goes on as it came, metrics and logs too; what is refused does not', async () => {
    const upstream = await startUpstream();
    const { http, admin } = await runSidecar(QUICK, { forward: upstream.url });
    const body = JSON.stringify(fanout('planner', ['fetch', 'search']));
    const headers = { 'content-type': 'application/json', 'x-api-key': 'theirs' };
    for (const signal of ['traces', 'metrics', 'logs']) {
      const answer = await fetch(`${http}/v1/${signal}`, {
        method: 'POST',
        headers,
        body: signal === 'traces' ? body : '{}',
      });
      expect(answer.status).toBe(200);
    }
    expect(
      (await fetch(`${http}/v1/traces`, { method: 'POST', headers, body: '{"resourceSpans": 3}' })).status,
    ).toBe(400);
    await learnedPlan(admin, 'planner');
    await eventually(async () => (upstream.requests.length >= 3 ? true : undefined));
    expect(upstream.requests.sort((a, b) => a.path.localeCompare(b.path))).toEqual([
      { path: '/v1/logs', body: '{}', key: 'theirs' },
      { path: '/v1/metrics', body: '{}', key: 'theirs' },
      { path: '/v1/traces', body, key: 'theirs' },
    ]);
    const text = await (await fetch(`${admin}/metrics`)).text();
    expect(text).toMatch(/^spanplan_forward_sent_total 3$/m);
    expect(text).not.toContain('requests_unused_total{');
  });

  test('learning does not wait for an upstream that is dead', async () => {
    const { http, admin } = await runSidecar(`${QUICK}\nservice: {shutdown_timeout: 200ms}`, {
      forward: 'http://127.0.0.1:9',
    });
    await postSpans(http, fanout('planner', ['fetch', 'search']));
    expect(groupsOf(await learnedPlan(admin, 'planner'))).toEqual([['fetch', 'search']]);
    await eventually(async () => {
      const { status, degraded } = (await (await fetch(`${admin}/readyz`)).json()) as Record<string, unknown>;
      return status === 'ready' && JSON.stringify(degraded) === '["forward"]' ? true : undefined;
    });
  });

  test('with sync the sender gets the answer of the upstream', async () => {
    const upstream = await startUpstream(429, { 'retry-after': '2' });
    const { http } = await runSidecar(`exporters: {otlphttp: {endpoint: "${upstream.url}", sync: true}}`);
    const answer = await postSpans(http, fanout('planner', ['fetch', 'search']));
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '2']);
    expect(upstream.requests).toHaveLength(1);
  });

  test('without a destination metrics and logs are counted as not used', async () => {
    const { http, admin } = await runSidecar();
    const headers = { 'content-type': 'application/json' };
    await fetch(`${http}/v1/metrics`, { method: 'POST', headers, body: '{}' });
    await fetch(`${http}/v1/logs`, { method: 'POST', headers, body: '{}' });
    const text = await (await fetch(`${admin}/metrics`)).text();
    expect(text).toMatch(/^spanplan_receiver_requests_unused_total\{signal="metrics"\} 1$/m);
    expect(text).toMatch(/^spanplan_receiver_requests_unused_total\{signal="logs"\} 1$/m);
  });
});

describe('stopping', () => {
  test('learns what was just taken', async () => {
    const prefix = freshPrefix();
    const { http, sidecar } = await runSidecar('', { store: redisUrl(), keyPrefix: prefix });
    await postSpans(http, fanout('planner', ['fetch', 'search']));
    expect(await sidecar.stop()).toMatchObject({ isComplete: true, spansNotLearned: 0 });
    const client = redisClient();
    onTestFinished(() => client.disconnect());
    expect(await client.get(`${prefix}plan:planner`)).toContain('"fetch","search"');
  });

  test('counts what could not be delivered, in the time that is given', async () => {
    const redis = await startRedisServer();
    onTestFinished(() => redis.dispose());
    const yaml = 'service: {shutdown_timeout: 2s}';
    const { http, sidecar } = await runSidecar(yaml, { store: redis.url, forward: 'http://127.0.0.1:9' });
    await postSpans(http, fanout('planner', ['fetch', 'search']));
    await redis.stop();
    const began = performance.now();
    expect(await sidecar.stop()).toEqual({
      isComplete: false,
      spansNotLearned: 3,
      requestsNotForwarded: 1,
      requestsKept: 0,
    });
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  test('a sender that does not come to its end takes a quarter of the time, and no plan', async () => {
    const prefix = freshPrefix();
    const yaml = 'service: {shutdown_timeout: 4s}';
    const { http, sidecar } = await runSidecar(yaml, { store: redisUrl(), keyPrefix: prefix });
    await postSpans(http, fanout('planner', ['fetch', 'search']));
    const { answer } = slowPost(http, 1_000);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const began = performance.now();
    expect(await sidecar.stop()).toMatchObject({ isComplete: true, spansNotLearned: 0 });
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(await answer).toMatchObject({ status: 503 });
    const client = redisClient();
    onTestFinished(() => client.disconnect());
    expect(await client.get(`${prefix}plan:planner`)).toContain('"fetch","search"');
  });
});

describe('a store that cannot be used', () => {
  test('ends the start with a sentence, and nobody is told that runs wait', async () => {
    const { lines: warnings, stop } = captureWarnings();
    onTestFinished(stop);
    const folder = workFolder();
    writeFileSync(join(folder, 'file'), '');
    const started = runSidecar('', { store: `lmdb:${join(folder, 'file/x')}` });
    await expect(started).rejects.toThrow(
      /cannot be opened: ENOTDIR: .*'\. Give another store with --store, or see to this one\.$/,
    );
    expect(warnings).toEqual([]);
  });

  test('is told of where it may come back', async () => {
    const { lines: warnings, stop } = captureWarnings();
    onTestFinished(stop);
    await runSidecar('service: {shutdown_timeout: 200ms}', { store: 'unix:/nonexistent/redis.sock' });
    expect(warnings).toEqual([expect.stringContaining('the store cannot be used; runs wait')]);
  });
});

test('the admin port speaks TLS, and asks for a certificate where that is configured', async () => {
  const file = (name: string) => fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url));
  const yaml = `extensions: {admin: {tls: {cert_file: ${file('server.crt')}, key_file: ${file('server.key')}, client_ca_file: ${file('authority.crt')}}}}`;
  const { admin, log } = await runSidecar(yaml, { admin: 'localhost:0' });
  const ask = (who: string | undefined, host = 'localhost') =>
    new Promise<number | undefined>((resolve, reject) => {
      const client = who && { cert: readFileSync(file(`${who}.crt`)), key: readFileSync(file(`${who}.key`)) };
      const options = {
        ca: readFileSync(file('authority.crt')),
        agent: false as const,
        servername: 'localhost',
        headers: { host },
        ...(client || {}),
      };
      get(`${admin}/v1/plans`, options, (answer) => resolve(answer.resume().statusCode)).on('error', reject);
    });
  expect(await ask('client')).toBe(200);
  // The certificate has said who this is, so that no name can lead a browser astray.
  expect(await ask('client', 'rebound.example')).toBe(200);
  await expect(ask('stranger')).rejects.toThrow();
  await expect(ask(undefined)).rejects.toThrow();
  expect(log.filter(({ level }) => Number(level) >= 40)).toEqual([]);
});

test('one line warns of listeners that others can reach', async () => {
  const { log } = await runSidecar(
    'receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:0", auth: {tokens: [{token: t}]}}, grpc: {endpoint: "0.0.0.0:0"}}}}\nextensions: {admin: {endpoint: "[::1]:0"}}',
    { http: undefined, grpc: undefined, admin: undefined },
  );
  const warnings = log.filter(({ level }) => level === 40);
  expect(warnings).toMatchObject([{ listeners: ['grpc'] }]);
});

test('no log line, metric or answer holds what spans hold', async () => {
  const { http, admin, log } = await runSidecar(QUICK);
  const secret = 'TOP-SECRET';
  const request = JSON.stringify(fanout('planner', ['fetch', 'search'])).replaceAll(
    '"attributes":[',
    `"attributes":[{"key":"gen_ai.prompt","value":{"stringValue":"${secret}"}},{"key":"gen_ai.tool.call.arguments","value":{"stringValue":"${secret}"}},`,
  );
  await postSpans(http, JSON.parse(request) as object);
  await learnedPlan(admin, 'planner');
  const bad = await fetch(`${http}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: `{"resourceSpans": "${secret}", `,
  });
  const texts = [JSON.stringify(log), await bad.text()];
  for (const path of ['/metrics', '/v1/plans', '/v1/plans/planner', '/v1/plans/planner/runs']) {
    texts.push(await (await fetch(admin + path)).text());
  }
  expect(texts.join('\n')).toContain('planner');
  expect(texts.join('\n')).not.toContain(secret);
});

/** A request whose body is there but for its end. */
function slowPost(http: string, bytes: number): { finish(): void; readonly answer: Promise<unknown> } {
  let finish = () => {};
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(Buffer.alloc(bytes, ' '));
      finish = () => {
        controller.enqueue(Buffer.from('{}'));
        controller.close();
      };
    },
  });
  const headers = { 'content-type': 'application/json' };
  const answer = fetch(`${http}/v1/traces`, { method: 'POST', headers, body, duplex: 'half' } as RequestInit);
  return { finish: () => finish(), answer };
}

/** Where spans went before. */
async function startUpstream(status = 200, headers: Readonly<Record<string, string>> = {}) {
  const requests: { path: string; body: string; key: unknown }[] = [];
  const server = createServer(async (request: IncomingMessage, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    requests.push({
      path: request.url ?? '',
      body: Buffer.concat(chunks).toString(),
      key: request.headers['x-api-key'],
    });
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}
