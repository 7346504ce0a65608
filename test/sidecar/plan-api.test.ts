import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { fanout } from '../cli/span-request.ts';
import { CheckedAdmin } from './openapi-check.ts';
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
  expect((await api.ask('/v1/plans', { query: '?limit=0' })).status).toBe(400);
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
  for (const path of ['/v1/plans/{agent}', '/v1/plans/{agent}/runs']) {
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
  expect((await ask('planner', [])).body).toMatchObject({ batches: [] });
  expect((await ask('planner', [3])).status).toBe(400);
  expect((await ask('planner', Array(1_001).fill('x'))).status).toBe(400);
  expect((await ask('planner', ['x'.repeat(2 ** 20)])).status).toBe(413);
  const path = '/v1/plans/{agent}/partition';
  const json = { 'content-type': 'application/json' };
  expect((await api.ask(path, { agent: 'a', method: 'POST', headers: json, body: '{' })).status).toBe(400);
  expect((await api.ask(path, { agent: 'a', method: 'POST', body: '{}' })).status).toBe(415);
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
  await sidecar.stop();
  await expect(fetch(`${admin}/healthz`)).rejects.toThrow();
});

describe('malformed requests', () => {
  const request = (line: string, fields = 'Host: localhost\r\n') =>
    `${line} HTTP/1.1\r\n${fields}Connection: close\r\n\r\n`;

  test.each([
    ['an agent that is not percent-encoded', request('GET /v1/plans/%ff'), 400],
    ['a URI that no parser likes', request('GET //[::bad/%'), 404],
    ['a whole URL', request('GET http://elsewhere/healthz'), 200],
    ['dots for a name', request('GET /v1/plans/%2e%2e'), 404],
    ['an asterisk', request('OPTIONS *'), 404],
    ['an unknown path', request('GET /v1/plan'), 404],
    ['a path below a path', request('GET /v1/plans/a/b/c'), 404],
    ['a method that is not for it', request('DELETE /v1/plans/a'), 405],
    [
      'a method that is not for it either',
      request('POST /readyz', 'Host: localhost\r\nContent-Length: 0\r\n'),
      405,
    ],
    ['a name that merely leads here', request('GET /v1/plans', 'Host: rebound.example:4319\r\n'), 421],
    ['a connection to be made', request('CONNECT a:1'), 400],
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['half of TLS', '\x16\x03\x01\x02\x00\x01', 400],
  ])('%s', async (_, text, status) => {
    const running = await runSidecar();
    const answer = await raw(running.admin, text);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    if (status >= 400) expect(answer).toMatch(/content-type: application\/problem\+json/i);
    expect((await fetch(`${running.admin}/healthz`)).status).toBe(200);
  });

  test('a HEAD is answered like a GET, without the body', async () => {
    const running = await runSidecar();
    const answer = await fetch(`${running.admin}/v1/plans`, { method: 'HEAD' });
    expect([answer.status, await answer.text()]).toEqual([200, '']);
  });
});

/** What the port sends back to exactly these bytes. */
async function raw(base: string, text: string): Promise<string> {
  const { hostname, port } = new URL(base);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  let answer = '';
  socket.setEncoding('latin1').on('data', (data: string) => {
    answer += data;
  });
  socket.write(text, 'latin1');
  await once(socket, 'close');
  return answer;
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
