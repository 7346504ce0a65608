import { expect, onTestFinished, test } from 'vitest';
import { fanout } from '../cli/span-request.ts';
import { metricsOf, spansOf } from '../e2e/sidecar-metrics.ts';
import { redisClient } from '../support/redis.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { startHttpUpstream } from './forwarder-upstreams.ts';
import { eventually, groupsOf, learnedPlan, postSpans, runSidecar } from './running-sidecar.ts';

// Redis is away, and there is next to no room for what is to be written to it.

const TRACES = 200;
const BOUNDS = 'max_buffered_traces: 2, max_buffered_size: 4KiB, max_queued_runs: 2, max_queued_size: 4KiB';

async function running(exporters = '') {
  const redis = await startRedisServer({ persistent: true });
  onTestFinished(() => redis.dispose());
  const yaml = `
processors: {fanout: {root_quiet: 50ms, ${BOUNDS}}}
exporters: {redis: {endpoint: "${redis.url}"}${exporters}}`;
  const { http, admin } = await runSidecar(yaml, { store: undefined });
  return { redis, http, admin, host: new URL(admin).host };
}

async function postMany(http: string): Promise<readonly Response[]> {
  const answers: Response[] = [];
  for (let trace = 1; trace <= TRACES; trace++) {
    const answer = await postSpans(http, fanout('planner', ['fetch', 'search'], trace));
    await answer.arrayBuffer();
    answers.push(answer);
  }
  return answers;
}

/** What became of all spans. */
function settled(host: string) {
  return eventually(async () => {
    const spans = await spansOf(host);
    return spans.buffered + spans.awaiting === 0 ? spans : undefined;
  }, 20_000);
}

const taken = (answers: readonly Response[]) => answers.filter(({ status }) => status === 200).length;

test('spans for which there is no room are refused, and none that was taken is lost', async () => {
  const { redis, http, admin, host } = await running();
  await redis.kill();
  const answers = await postMany(http);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 503]));
  for (const { headers } of answers.filter(({ status }) => status === 503)) {
    expect(headers.get('retry-after')).toMatch(/^[123]$/);
  }
  expect(taken(answers)).toBeLessThan(10);
  const readyz = await fetch(`${admin}/readyz`);
  expect([readyz.status, await readyz.json()]).toMatchObject([503, { status: 'full' }]);
  // Metrics are not learned from, so there is room for them.
  const metrics = await fetch(`${http}/v1/metrics`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  expect(metrics.status).toBe(200);

  await redis.start();
  const spans = await settled(host);
  const received = 3 * taken(answers);
  expect(spans).toMatchObject({ received, learned: received, dropped: 0 });
  expect((await fetch(`${admin}/readyz`)).status).toBe(200);
  expect((await postSpans(http, fanout('planner', ['fetch', 'search'], TRACES + 1))).status).toBe(200);
}, 30_000);

test('one agent whose plan cannot be written keeps no other from being learned', async () => {
  const { redis, http, admin } = await running();
  const client = redisClient(redis.url);
  onTestFinished(() => client.disconnect());
  await client.set('spanplan:plan:broken', 'no JSON');
  for (let trace = 1; trace <= 20; trace++) {
    await eventually(async () => {
      const { status } = await postSpans(http, fanout('broken', ['fetch', 'search'], trace));
      return status === 200 ? true : undefined;
    });
  }
  await eventually(async () => {
    const { status } = await postSpans(http, fanout('planner', ['fetch', 'search'], 21));
    return status === 200 ? true : undefined;
  });
  expect(groupsOf(await learnedPlan(admin, 'planner'))).toEqual([['fetch', 'search']]);
}, 30_000);

test('spans that go on are taken all the same, and what is not learned is counted', async () => {
  const upstream = await startHttpUpstream();
  onTestFinished(() => upstream.close());
  const { redis, http, admin, host } = await running(`, otlphttp: {endpoint: "${upstream.url}"}`);
  await redis.kill();
  expect(taken(await postMany(http))).toBe(TRACES);
  await expect.poll(() => upstream.received.length, { timeout: 10_000 }).toBe(TRACES);
  expect((await fetch(`${admin}/readyz`)).status).toBe(200);
  await redis.start();
  const spans = await settled(host);
  expect(spans.dropped).toBeGreaterThan(0);
  const { by } = await metricsOf(host);
  expect(by('spanplan_spans_dropped_total', 'reason')).toEqual({ queue_full: spans.dropped });
  expect(spans.learned + spans.dropped).toBe(3 * TRACES);
}, 30_000);
