import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Problem, problemOf } from '../../src/sidecar/plan-api/plan-api-answer.ts';
import { StoreError } from '../../src/store/plan-store.ts';
import { fanout } from '../cli/span-request.ts';
import { CheckedAdmin, type RawAnswer } from './openapi-check.ts';
import {
  eventually,
  learnedPlan,
  postSpans,
  QUICK,
  type RunningSidecar,
  runSidecar,
} from './running-sidecar.ts';

/** A sidecar that has learned of two agents. */
async function taught(yaml = QUICK): Promise<RunningSidecar & { readonly api: CheckedAdmin }> {
  const running = await runSidecar(yaml);
  await postSpans(running.http, fanout('planner', ['fetch', 'search', 'summarise'], 1));
  await postSpans(running.http, fanout('a/b ☂ {x}*', ['one', 'two'], 2));
  await learnedPlan(running.admin, 'planner');
  await learnedPlan(running.admin, 'a/b ☂ {x}*');
  return { ...running, api: await CheckedAdmin.of(running.admin) };
}

test('lists agents with revision and counts, in pages', async () => {
  const { api } = await taught();
  const first = await api.ask('/v1/plans', { query: '?limit=1' });
  expect(first.body).toMatchObject({
    agents: [{ agent_id: 'a/b ☂ {x}*', revision: 1, groups: 1, tools: 2 }],
    total: 2,
  });
  const { next } = first.body as { next: string };
  const second = await api.ask('/v1/plans', { query: `?after=${encodeURIComponent(next)}` });
  expect(second.body).toMatchObject({
    agents: [{ agent_id: 'planner', revision: 1, groups: 2, tools: 3 }],
    total: 2,
  });
  expect(second.body).not.toHaveProperty('next');
  for (const limit of ['0', '1001', '1e2', '-1', '']) {
    expect((await api.ask('/v1/plans', { query: `?limit=${limit}` })).status).toBe(400);
  }
  const both = await api.ask('/v1/plans', { query: '?limit=2' });
  expect((both.body as { agents: unknown[] }).agents).toHaveLength(2);
  expect(both.body).not.toHaveProperty('next');
  expect((await api.ask('/v1/plans', { query: '?limit=1000' })).status).toBe(200);
});

test('gives a plan, or only its maximal groups, and nothing where the client has it', async () => {
  const { api } = await taught();
  const whole = await api.ask('/v1/plans/{agent}', { agent: 'planner' });
  expect(whole.body).toMatchObject({
    agent_id: 'planner',
    parallel_groups: expect.arrayContaining([expect.objectContaining({ tool_names: ['fetch', 'search'] })]),
  });
  const maximal = await api.ask('/v1/plans/{agent}', { agent: 'planner', query: '?maximal=true' });
  expect(maximal.body).toMatchObject({
    parallel_groups: [{ tool_names: ['fetch', 'search', 'summarise'] }],
    metadata_template: {
      parallel_hints: [{ tool_name: 'fetch' }, { tool_name: 'search' }, { tool_name: 'summarise' }],
    },
  });
  expect((await api.ask('/v1/plans/{agent}', { agent: 'planner', query: '?maximal=perhaps' })).status).toBe(
    400,
  );

  const bare = await api.ask('/v1/plans/{agent}', { agent: 'planner', query: '?maximal' });
  expect(bare.text).toBe(maximal.text);

  const etag = whole.headers.get('etag') ?? '';
  expect(maximal.headers.get('etag')).not.toBe(etag);
  for (const known of [etag, `"other", W/${etag}`, '*']) {
    const again = await api.ask('/v1/plans/{agent}', {
      agent: 'planner',
      headers: { 'if-none-match': known },
    });
    expect([again.status, again.text, again.headers.get('etag')]).toEqual([304, '', etag]);
  }
  const other = await api.ask('/v1/plans/{agent}', {
    agent: 'planner',
    headers: { 'if-none-match': '"other"' },
  });
  expect(other.status).toBe(200);
});

test('names the known agents to whoever asks for another', async () => {
  const { api } = await taught();
  for (const path of ['/v1/plans/{agent}', '/v1/plans/{agent}/groups', '/v1/plans/{agent}/runs']) {
    const answer = await api.ask(path, { agent: 'planer' });
    expect(answer.body).toMatchObject({ status: 404, known_agents: ['a/b ☂ {x}*', 'planner'] });
  }
});

test('a known agent without a plan is told apart', async () => {
  const { api, http } = await taught();
  await postSpans(http, fanout('lonely', ['only'], 3));
  const answer = await eventually(async () => {
    const { body } = await api.ask('/v1/plans/{agent}', { agent: 'lonely' });
    return (body as { detail: string }).detail.includes('has no plan') ? body : undefined;
  });
  expect(answer).toMatchObject({ status: 404 });
  expect(answer).not.toHaveProperty('known_agents');
  expect((await api.ask('/v1/plans', {})).body).toMatchObject({ total: 3 });
});

test('says in how many runs each group was seen', async () => {
  const { api, http } = await taught();
  await postSpans(http, fanout('planner', ['fetch', 'search'], 7));
  const body = await eventually(async () => {
    const answer = await api.ask('/v1/plans/{agent}/groups', { agent: 'planner' });
    return answer.text.includes('"runs":2') ? answer.body : undefined;
  });
  expect(body).toEqual({
    agent_id: 'planner',
    groups: expect.arrayContaining([
      expect.objectContaining({ tool_names: ['fetch', 'search'], runs: 2 }),
      expect.objectContaining({ tool_names: ['fetch', 'search', 'summarise'], runs: 1 }),
    ]),
  });
  expect((await api.ask('/v1/plans/{agent}/groups', { agent: 'nobody' })).status).toBe(404);
});

test('gives the newest runs, oldest first', async () => {
  const { api, http } = await taught();
  await postSpans(http, fanout('planner', ['late'], 4));
  const runs = await eventually(async () => {
    const { body } = await api.ask('/v1/plans/{agent}/runs', { agent: 'planner' });
    const { runs } = body as { runs: { calls: { name: string }[] }[] };
    return runs.length === 2 ? runs : undefined;
  });
  expect(runs.map(({ calls }) => calls.map(({ name }) => name))).toEqual([
    ['fetch', 'search', 'summarise'],
    ['late'],
  ]);
  const last = await api.ask('/v1/plans/{agent}/runs', { agent: 'planner', query: '?limit=1' });
  expect(last.body).toMatchObject({ runs: [{ calls: [{ name: 'late' }] }] });
});

test('cuts calls into batches and says why', async () => {
  const { api } = await taught();
  const ask = (agent: string, calls: unknown) =>
    api.ask('/v1/plans/{agent}/partition', {
      agent,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ calls }),
    });
  const { body, text } = await ask('planner', [
    'search',
    { name: 'fetch', arguments: 'TOP SECRET' },
    'fetch',
    'never-seen',
  ]);
  expect(body).toMatchObject({
    agent_id: 'planner',
    batches: [
      {
        calls: [
          { index: 0, name: 'search' },
          { index: 1, name: 'fetch' },
        ],
        reason: { code: 'seen_together' },
      },
      { calls: [{ index: 2, name: 'fetch' }], reason: { code: 'not_seen_together' } },
      { calls: [{ index: 3, name: 'never-seen' }], reason: { code: 'unknown_tool' } },
    ],
  });
  expect(text).not.toContain('SECRET');
  const { group_id } = (body as { batches: { reason: { group_id: string } }[] }).batches[0]?.reason ?? {};
  const plan = await api.ask('/v1/plans/{agent}', { agent: 'planner' });
  expect(plan.body).toMatchObject({
    parallel_groups: expect.arrayContaining([expect.objectContaining({ group_id })]),
  });

  expect((await ask('nobody', ['a', 'b'])).body).toMatchObject({
    batches: [{ reason: { code: 'no_plan' } }, { reason: { code: 'no_plan' } }],
  });
  const none = await ask('planner', []);
  expect(none.body).toMatchObject({ batches: [] });
  // What was read to its end leaves the connection to the next request.
  expect(none.headers.get('connection')).not.toBe('close');
  expect((await ask('planner', [3])).status).toBe(400);
  expect((await ask('planner', Array(1_001).fill('x'))).status).toBe(400);
  expect((await ask('planner', ['x'.repeat(2 ** 20)])).status).toBe(413);
  const path = '/v1/plans/{agent}/partition';
  const json = { 'content-type': 'application/json' };
  expect((await api.ask(path, { agent: 'a', method: 'POST', headers: json, body: '{' })).status).toBe(400);
  expect((await api.ask(path, { agent: 'a', method: 'POST', body: '{}' })).status).toBe(415);
});

test('an error that nobody foresaw is answered without what it says', async () => {
  const { status, body } = problemOf(new TypeError('TOP SECRET')).answer;
  expect(status).toBe(500);
  expect(body).not.toContain('SECRET');
});

test('a plan that cannot be read will be no better in a while; a store that cannot may be', () => {
  const corrupt = problemOf(new StoreError('corrupt_plan', 'no plan')).answer;
  expect([corrupt.status, corrupt.headers['retry-after']]).toEqual([500, undefined]);
  const away = problemOf(new StoreError('unavailable', 'away')).answer;
  expect([away.status, away.headers['retry-after']]).toEqual([503, '2']);
  const own = new Problem(404, 'x');
  expect(problemOf(own)).toBe(own);
});

describe('events', () => {
  test('tell of each change, beginning with how it is', async () => {
    const { admin, http, api } = await taught();
    const events = await listen(`${admin}/v1/plans/planner/events`);
    const schema = api.eventSchema('/v1/plans/{agent}/events');
    expect(schema.parse(await events.next())).toEqual({ agent_id: 'planner', revision: 1 });
    await postSpans(http, fanout('a/b ☂ {x}*', ['two', 'three'], 5));
    await postSpans(http, fanout('planner', ['fetch', 'translate'], 6));
    expect(schema.parse(await events.next())).toEqual({ agent_id: 'planner', revision: 2 });
  });

  test('are for a bounded number of listeners, and end with the sidecar', async () => {
    const { admin, api, sidecar } = await taught(`${QUICK}\nextensions: {admin: {max_listeners: 1}}`);
    const events = await listen(`${admin}/v1/plans/unheard-of/events`);
    expect(await events.next()).toEqual({ agent_id: 'unheard-of' });
    const refused = await api.ask('/v1/plans/{agent}/events', { agent: 'planner' });
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toMatch(/^[1-3]$/);
    expect(refused.body).toMatchObject({ detail: 'No more than 1 can listen at the same time.' });
    await sidecar.stop();
    expect(await events.next()).toBeUndefined();
  });
});

test('health, readiness and metrics', async () => {
  const { api, sidecar, admin } = await taught();
  expect((await api.ask('/healthz')).body).toEqual({ status: 'ok' });
  expect((await api.ask('/readyz')).body).toEqual({ status: 'ready', degraded: [] });
  const { text, headers } = await api.ask('/metrics');
  expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(text).toMatch(/^spanplan_spans_received_total 7$/m);
  expect(text).toMatch(/^spanplan_spans_learned_total 7$/m);
  expect(text).toMatch(/^spanplan_traces_released_total\{reason="root_quiet"\} 2$/m);
  expect(text).toMatch(
    /^spanplan_receiver_answers_total\{transport="http",signal="traces",status="200"\} 2$/m,
  );
  expect(text).toMatch(/^spanplan_ready 1$/m);
  // Of the text format there are no other lines.
  expect(text).not.toMatch(/^#(?! (?:HELP|TYPE) )/m);
  await sidecar.stop();
  await expect(fetch(`${admin}/healthz`)).rejects.toThrow();
});

describe('malformed requests', () => {
  const request = (line: string, fields = 'Host: localhost\r\n') =>
    `${line} HTTP/1.1\r\n${fields}Connection: close\r\n\r\n`;
  const [plans, plan] = ['/v1/plans', '/v1/plans/{agent}'];
  const host = 'Host: localhost\r\n';
  const json = `${host}Content-Type: application/json\r\n`;

  test.each([
    ['an agent that is not percent-encoded', request('GET /v1/plans/%ff'), plan, 400],
    ['one whose events are asked for', request('GET /v1/plans/%zz/events'), `${plan}/events`, 400],
    ['a URI that no parser likes', request('GET //[::bad/%'), undefined, 404],
    ['a whole URL', request('GET http://elsewhere/healthz'), '/healthz', 200],
    ['dots for a name', request('GET /v1/plans/%2e%2e'), plan, 404],
    ['an asterisk', request('OPTIONS *'), undefined, 404],
    ['an unknown path', request('GET /v1/plan'), undefined, 404],
    ['a path below a path', request('GET /v1/plans/a/b/c'), undefined, 404],
    ['a method that is not for it', request('DELETE /v1/plans/a'), plan, 405],
    ['another', request('POST /readyz', `${host}Content-Length: 0\r\n`), '/readyz', 405],
    ['another', request('PUT /healthz', `${host}Content-Length: 0\r\n`), '/healthz', 405],
    ['another', request('POST /metrics', `${host}Content-Length: 0\r\n`), '/metrics', 405],
    ['another', request('GET /v1/plans/a/partition'), `${plan}/partition`, 405],
    ['another', request('POST /v1/plans/a/events', `${host}Content-Length: 0\r\n`), `${plan}/events`, 405],
    ['the head of a stream', request('HEAD /v1/plans/a/events'), `${plan}/events`, 405],
    ['a name that merely leads here', request('GET /v1/plans', 'Host: rebound.example:4319\r\n'), plans, 421],
    ['one for metrics', request('GET /metrics', 'Host: rebound.example\r\n'), '/metrics', 421],
    ['what nobody can expect', request('GET /v1/plans', `${host}Expect: tea\r\n`), plans, 417],
    ['headers without end', request('GET /v1/plans', `${host}X: ${'x'.repeat(20_000)}\r\n`), plans, 431],
    ['a connection to be made', request('CONNECT a:1'), plans, 400],
    ['no HTTP', 'hello\r\n\r\n', plans, 400],
    ['half of TLS', '\x16\x03\x01\x02\x00\x01', plans, 400],
    [
      'a body in chunks that are none',
      request('POST /v1/plans/a/partition', `${json}Transfer-Encoding: chunked\r\n`).concat('zz\r\n'),
      `${plan}/partition`,
      400,
    ],
    [
      'a body that is no UTF-8',
      request('POST /v1/plans/a/partition', `${json}Content-Length: 15\r\n`).concat('{"calls":["\xff"]}'),
      `${plan}/partition`,
      400,
    ],
    [
      'a body that is compressed',
      request('POST /v1/plans/a/partition', `${json}Content-Encoding: gzip\r\nContent-Length: 2\r\n`).concat(
        '{}',
      ),
      `${plan}/partition`,
      415,
    ],
  ])('%s', async (_, text, template, status) => {
    const running = await runSidecar();
    const api = await CheckedAdmin.of(running.admin);
    const answer = await raw(running.admin, text);
    expect(answer.status).toBe(status);
    const [, method = ''] = /^([A-Z]+) /.exec(text) ?? [];
    const isAsked = status !== 400 || template !== plans;
    const body = api.check(template, isAsked ? method : 'GET', answer);
    if (status >= 400) {
      expect(answer.headers.get('content-type')).toBe('application/problem+json');
      if (method !== 'HEAD') expect(body).toMatchObject({ status });
    }
    expect((await fetch(`${running.admin}/healthz`)).status).toBe(200);
  });

  test('a head that never ends is told that it takes too long', async () => {
    const running = await runSidecar();
    const api = await CheckedAdmin.of(running.admin);
    const answer = await raw(running.admin, 'GET /v1/plans HTTP/1.1\r\nHost: local');
    expect(api.check(plans, 'GET', answer)).toMatchObject({ status: 408 });
  }, 20_000);

  test('a HEAD is answered like a GET, without the body', async () => {
    const running = await runSidecar();
    const api = await CheckedAdmin.of(running.admin);
    const { status, text } = await api.ask('/v1/plans', { method: 'HEAD' });
    expect([status, text]).toEqual([200, '']);
  });

  test('what goes on behind its answer does not cut that off', async () => {
    const running = await runSidecar();
    const socket = connect({
      host: '127.0.0.1',
      port: Number(new URL(running.admin).port),
      allowHalfOpen: true,
    });
    onTestFinished(() => void socket.destroy());
    let error: Error | undefined;
    socket.on('error', (broken) => {
      error = broken;
    });
    socket.write('no HTTP\r\n\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 400 /);
    vi.useFakeTimers({ toFake: ['setTimeout'] }); // for as long as it takes
    onTestFinished(() => void vi.useRealTimers());
    for (let i = 0; i < 50; i++) {
      socket.write('nor is this\r\n\r\n');
      await sleep(10);
    }
    expect(error).toBeUndefined();
  });

  test('a body that nobody read ends its connection, as what is left of it would be taken for a request', async () => {
    const running = await runSidecar();
    const fields = `${host}Content-Type: text/plain\r\nContent-Length: 1000\r\n`;
    const answer = await raw(running.admin, `POST /v1/plans/a/partition HTTP/1.1\r\n${fields}\r\nhalf of it`);
    expect([answer.status, answer.headers.get('connection')?.trim()]).toEqual([415, 'close']);
  });

  test('a sender of HTTP/1.0, who need not say whom it asks', async () => {
    const running = await runSidecar();
    expect((await raw(running.admin, 'GET /v1/plans HTTP/1.0\r\n\r\n')).status).toBe(200);
  });

  test('a body that says it is not compressed, and begins with a mark of its byte order', async () => {
    const running = await runSidecar();
    const api = await CheckedAdmin.of(running.admin);
    const { body } = await api.ask('/v1/plans/{agent}/partition', {
      agent: 'a',
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-encoding': 'identity' },
      body: '\uFEFF{"calls": ["b"]}',
    });
    expect(body).toMatchObject({ batches: [{ calls: [{ name: 'b' }] }] });
  });

  test('a body of exactly the largest size', async () => {
    const running = await runSidecar();
    const api = await CheckedAdmin.of(running.admin);
    const ask = async (bytes: number) => {
      const body = '{"calls":[]}'.padEnd(bytes);
      const headers = { 'content-type': 'application/json' };
      return (await api.ask('/v1/plans/{agent}/partition', { agent: 'a', method: 'POST', headers, body }))
        .status;
    };
    expect([await ask(2 ** 20), await ask(2 ** 20 + 1)]).toEqual([200, 413]);
  });

  test('what follows a stream of events on its connection is not answered into it', async () => {
    const running = await runSidecar();
    const { text } = await raw(
      running.admin,
      `GET /v1/plans/a/events HTTP/1.1\r\n${host}\r\n`,
      (socket) => void setTimeout(() => socket.write('garbage\r\n\r\n'), 100),
    );
    expect(text).toContain('event: plan');
    expect(text).not.toContain('HTTP/1.1 400');
  });
});

describe('credentials', () => {
  const yaml = (auth: string) => `${QUICK}\nextensions: {admin: {${auth}}}`;

  test('are asked for', async () => {
    const { admin } = await runSidecar(yaml('auth: {tokens: [{token: t}]}'));
    const api = await CheckedAdmin.of(admin, { authorization: 'Bearer t' });
    for (const path of ['/v1/plans', '/v1/plans/{agent}/events', '/metrics', '/openapi.json']) {
      expect((await api.ask(path, { agent: 'a' })).status).toBe(401);
    }
  });

  test('names that lead here are refused wherever the port is bound, unless they are known', async () => {
    const { admin } = await runSidecar(yaml('allowed_hosts: [plans.internal, Other.Internal]'), {
      admin: '0.0.0.0:0',
    });
    const { port } = new URL(admin);
    const ask = async (host: string) => {
      const text = `GET /v1/plans HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
      return (await raw(`http://127.0.0.1:${port}`, text)).status;
    };
    const hosts = [
      '127.0.0.1',
      'localhost:1',
      '10.1.2.3:4319',
      '[::1]:4319',
      '[fd00::1]',
      'Plans.Internal:80',
      'other.internal',
    ];
    expect(await Promise.all([...hosts, hostname(), ''].map(ask))).toEqual([...hosts, '', ''].map(() => 200));
    const strangers = [
      'rebound.example',
      '127.0.0.1.rebound.example',
      'plans.internal.rebound.example',
      '[x]',
    ];
    expect(await Promise.all(strangers.map(ask))).toEqual(strangers.map(() => 421));
  });

  test('a name is no matter where a token is asked for', async () => {
    const { admin } = await runSidecar(yaml('auth: {tokens: [{token: t}]}'));
    const text = `GET /v1/plans HTTP/1.1\r\nHost: any.example\r\nAuthorization: Bearer t\r\nConnection: close\r\n\r\n`;
    expect((await raw(admin, text)).status).toBe(200);
  });
});

/** What the port sends back to exactly these bytes. */
async function raw(base: string, text: string, then?: (socket: Socket) => void): Promise<RawAnswer> {
  const { hostname: host, port } = new URL(base);
  const socket = connect(Number(port), host);
  socket.on('error', () => {});
  let answer = '';
  socket.setEncoding('utf8').on('data', (data: string) => {
    answer += data;
  });
  socket.write(text, 'latin1');
  then?.(socket);
  await once(socket, 'close');
  const [head = '', ...body] = answer.split('\r\n\r\n');
  const [line = '', ...fields] = head.split('\r\n');
  const headers = fields.map((field) => [
    field.slice(0, field.indexOf(':')),
    field.slice(field.indexOf(':') + 1),
  ]);
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(line)?.[1]);
  return { status, headers: new Headers(headers as [string, string][]), text: body.join('\r\n\r\n') };
}

/** The data of a stream of events, one by one; undefined where it has ended. */
async function listen(url: string): Promise<{ next(): Promise<unknown> }> {
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  const answer = await fetch(url, { signal: abort.signal });
  expect(answer.headers.get('content-type')).toBe('text/event-stream');
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return {
    async next() {
      for (;;) {
        const [, event, rest = ''] = /^(.*?)\n\n(.*)$/s.exec(text) ?? [];
        if (event !== undefined) {
          text = rest;
          const data = /^data: (.*)$/m.exec(event)?.[1];
          if (data !== undefined) return JSON.parse(data) as unknown;
          continue;
        }
        const { value, done } = (await reader?.read()) ?? { done: true };
        if (done) return undefined;
        text += value;
      }
    },
  };
}
