import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { RedisPlanStore } from '../../src/store/redis-plan-store.ts';
import { workFolder } from '../cli/work-folder.ts';
import { startHttpUpstream } from '../sidecar/forwarder-upstreams.ts';
import { eventually, groupsOf, learnedPlan } from '../sidecar/running-sidecar.ts';
import { redisClient } from '../support/redis.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { ExportingAgent, TRANSPORTS } from './exporting-agent.ts';
import { metricsOf, spansOf } from './sidecar-metrics.ts';
import { type SidecarProcess, serve } from './sidecar-process.ts';

// Real exporters send steadily, and Redis goes away for longer than every wait of its client and of the write queue.

const OUTAGE_MILLIS = Number(process.env.SPANPLAN_TEST_OUTAGE_SECONDS ?? 9) * 1_000;
const TIMEOUT = OUTAGE_MILLIS + 60_000;
const MIB = 2 ** 20;

const outages = [
  {
    how: 'killed, and started again',
    tcp: false,
    begin: (redis: RedisServer) => redis.kill(),
    end: (redis: RedisServer) => redis.start(),
  },
  {
    how: 'frozen, and then goes on',
    tcp: true,
    begin: async (redis: RedisServer) => redis.freeze(),
    end: async (redis: RedisServer) => redis.thaw(),
  },
];

describe.each(outages)('while Redis is $how', ({ tcp, begin, end }) => {
  test('no agent sees an error, and every run is stored once', { timeout: TIMEOUT }, async () => {
    const { redis, sidecar, agents, load } = await running({ tcp });
    await Promise.all(agents.map(({ name }) => learnedPlan(`http://${sidecar.ready.admin}`, name)));
    const watch = watched(sidecar);
    await sleep(1_500);
    await begin(redis);
    await sleep(OUTAGE_MILLIS);
    const during = watch.samples.at(-1);
    await end(redis);
    await sleep(1_500);
    load.stop();
    await Promise.all(agents.map((agent) => agent.delivered()));
    const spans = await settled(sidecar);
    const samples = await watch.stop();

    const sent = agents.reduce((sum, { spanIds }) => sum + spanIds.size, 0);
    expect(agents.flatMap(({ failures }) => failures)).toEqual([]);
    expect((await metricsOf(sidecar.ready.admin)).by('spanplan_receiver_answers_total', 'status')).toEqual({
      0: expect.any(Number),
      200: expect.any(Number),
    });
    expect(spans).toMatchObject({ received: sent, awaiting: 0, buffered: 0, ignored: 0, dropped: 0 });
    // A write whose reply was lost is made again, and changes nothing then.
    expect(spans.learned + spans.duplicate).toBe(sent);
    for (const { name, runIds } of agents) {
      expect(await stored(redis, name)).toEqual({
        runs: [...runIds].sort(),
        support: [{ tools: ['fetch', 'search'], runs: runIds.size }],
      });
      expect(groupsOf(await learnedPlan(`http://${sidecar.ready.admin}`, name))).toEqual([
        ['fetch', 'search'],
      ]);
    }

    expect(during).toMatchObject({ readyz: 200, degraded: ['redis'], plan: 200 });
    expect(during?.awaiting).toBeGreaterThan(0);
    for (const { readyz, plan } of samples) expect({ readyz, plan }).toEqual({ readyz: 200, plan: 200 });
    await expect.poll(() => degradedOf(sidecar), { timeout: 5_000 }).toEqual([]);
    const [first] = samples;
    expect(Math.max(...samples.map(({ rss }) => rss)) - (first?.rss ?? 0)).toBeLessThan(100 * MIB);
    // Each is told once, however long it lasts.
    expect(linesOf(sidecar)).toEqual([
      'warn plans cannot be read; the last known ones are served',
      'warn the store cannot be used; runs wait: REASON',
      'warn the store is unavailable; runs wait',
    ]);
    expect(sidecar.log.filter(({ msg }) => msg === 'the store is available again')).toHaveLength(1);
    if (process.env.SPANPLAN_TEST_OUTAGE_SECONDS) report(samples, spans);
  });
});

describe('an outage that is too long for the write queue', () => {
  test('makes spans that go nowhere else come again, and loses none', { timeout: TIMEOUT }, async () => {
    const { redis, sidecar, agents, load } = await running({ maxQueuedRuns: 100, everyMillis: 10 });
    const answers = async () =>
      (await metricsOf(sidecar.ready.admin)).by('spanplan_receiver_answers_total', 'status');
    await redis.kill();
    await eventually(async () => {
      const { 14: grpc = 0, 503: http = 0 } = await answers();
      return grpc > 0 && http > 1 ? true : undefined;
    }, 20_000);
    expect((await fetch(`http://${sidecar.ready.admin}/readyz`)).status).toBe(503);
    load.stop();
    await redis.start();
    await Promise.all(agents.map((agent) => agent.delivered()));
    const spans = await settled(sidecar);

    expect(agents.flatMap(({ failures }) => failures)).toEqual([]);
    const sent = agents.reduce((sum, { spanIds }) => sum + spanIds.size, 0);
    expect(spans).toMatchObject({ received: sent, ignored: 0, awaiting: 0, dropped: 0 });
    expect(spans.learned + spans.duplicate).toBe(sent);
    expect(Object.keys(await answers()).sort()).toEqual(['0', '14', '200', '503']);
    expect((await fetch(`http://${sidecar.ready.admin}/readyz`)).status).toBe(200);
  });

  test('costs the oldest runs of spans that go on, which are counted, and told of once', {
    timeout: TIMEOUT,
  }, async () => {
    const upstream = await startHttpUpstream();
    onTestFinished(() => upstream.close());
    const { redis, sidecar, agents, load } = await running({
      maxQueuedRuns: 100,
      everyMillis: 10,
      forward: upstream.url,
    });
    const watch = watched(sidecar);
    await redis.kill();
    await eventually(async () => {
      const dropped = (await metricsOf(sidecar.ready.admin)).by('spanplan_spans_dropped_total', 'reason');
      return (dropped.queue_full ?? 0) > 1_500 ? true : undefined;
    }, 20_000);
    load.stop();
    await Promise.all(agents.map((agent) => agent.delivered()));
    await eventually(async () => ((await spansOf(sidecar.ready.admin)).buffered === 0 ? true : undefined));
    await redis.start();
    const spans = await settled(sidecar);
    const samples = await watch.stop();

    expect(agents.flatMap(({ failures }) => failures)).toEqual([]);
    const sent = agents.reduce((sum, { spanIds }) => sum + spanIds.size, 0);
    expect(spans).toMatchObject({ received: sent, ignored: 0, awaiting: 0 });
    expect(spans.learned + spans.duplicate + spans.dropped).toBe(sent);
    for (const { readyz } of samples) expect(readyz).toBe(200);
    // A run is three spans. Beside what is queued there may be what was finished just now.
    expect(Math.max(...samples.map(({ awaiting }) => awaiting))).toBeLessThan(3 * (100 + 200));
    expect(linesOf(sidecar).filter((line) => line.includes('queue'))).toEqual([
      'warn the write queue is full; the oldest runs waiting are dropped',
    ]);

    const { by } = await metricsOf(sidecar.ready.admin);
    expect(by('spanplan_spans_dropped_total', 'reason')).toEqual({ queue_full: spans.dropped });
    let kept = 0;
    for (const { name, runIds } of agents) {
      const { runs } = await stored(redis, name);
      expect([...runIds]).toEqual(expect.arrayContaining([...runs]));
      expect(runs).toContain([...runIds].at(-1));
      kept += runs.length;
    }
    expect(3 * kept).toBe(sent - spans.dropped);
  });

  test('ends with a stop that tells how much is lost, in time', { timeout: TIMEOUT }, async () => {
    const { redis, sidecar, agents, load } = await running();
    await eventually(async () => ((await spansOf(sidecar.ready.admin)).learned > 0 ? true : undefined));
    redis.freeze();
    await sleep(1_000);
    load.stop();
    await Promise.all(agents.map((agent) => agent.delivered()));
    const { received, learned, duplicate } = await spansOf(sidecar.ready.admin);
    const began = performance.now();
    sidecar.kill('SIGTERM');
    expect(await sidecar.ended).toBe(1);
    expect(performance.now() - began).toBeLessThan(SHUTDOWN_MILLIS + 2_000);
    expect(sidecar.log.at(-1)).toMatchObject({
      level: 'error',
      spansNotLearned: received - learned - duplicate,
      requestsNotForwarded: 0,
    });
  });
});

const SHUTDOWN_MILLIS = 4_000;

/** A sidecar on a Redis of its own, and an agent for each transport that sends all the time. */
async function running({ tcp = false, maxQueuedRuns = 10_000, everyMillis = 50, forward = '' } = {}) {
  const redis = await startRedisServer({ persistent: true, tcp });
  onTestFinished(() => redis.dispose());
  const cwd = workFolder();
  writeFileSync(
    join(cwd, 's.yaml'),
    `processors: {fanout: {root_quiet: 200ms, max_buffered_size: 8MiB, max_queued_runs: ${maxQueuedRuns}}}
exporters: {redis: {endpoint: "${tcp ? `redis://127.0.0.1:${redis.port}` : redis.url}", max_runs_per_agent: 100000, max_applied_runs: 100000}${forward && `, otlphttp: {endpoint: "${forward}"}`}}
service: {shutdown_timeout: ${SHUTDOWN_MILLIS}ms}`,
  );
  const sidecar = await serve(['--config', 's.yaml'], { cwd });
  const agents = TRANSPORTS.map(
    (transport) => new ExportingAgent({ name: transport, transport, to: sidecar.ready }),
  );
  const timer = setInterval(() => {
    for (const agent of agents) agent.run();
  }, everyMillis);
  const load = { stop: () => clearInterval(timer) };
  onTestFinished(load.stop);
  return { redis, sidecar, agents, load };
}

interface Sample {
  readonly readyz: number;
  readonly degraded: readonly string[];
  /** What the plan of the first agent is answered with. */
  readonly plan: number;
  /** Spans that wait for their runs to be written. */
  readonly awaiting: number;
  readonly rss: number;
}

/** Looks at the sidecar all the time. */
function watched(sidecar: SidecarProcess) {
  const samples: Sample[] = [];
  let isOver = false;
  const admin = `http://${sidecar.ready.admin}`;
  const watching = (async () => {
    while (!isOver) {
      const ready = await fetch(`${admin}/readyz`);
      const { degraded } = (await ready.json()) as { degraded: string[] };
      const plan = await fetch(`${admin}/v1/plans/${encodeURIComponent(TRANSPORTS[0])}`);
      await plan.arrayBuffer();
      const { awaiting } = await spansOf(sidecar.ready.admin);
      samples.push({
        readyz: ready.status,
        degraded,
        plan: plan.status,
        awaiting,
        rss: rssOf(sidecar.pid),
      });
      await sleep(200);
    }
  })();
  return {
    samples,
    async stop() {
      isOver = true;
      await watching;
      return samples;
    },
  };
}

function rssOf(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)])) * 1_024;
}

/** Where all spans are, once none is on its way any more. */
function settled({ ready }: SidecarProcess) {
  return eventually(async () => {
    const spans = await spansOf(ready.admin);
    return spans.awaiting + spans.buffered === 0 ? spans : undefined;
  }, 20_000);
}

async function degradedOf({ ready }: SidecarProcess): Promise<unknown> {
  const answer = await fetch(`http://${ready.admin}/readyz`);
  return ((await answer.json()) as { degraded: unknown }).degraded;
}

/** What Redis holds of an agent: ids of its runs, sorted, and in how many runs each group was seen. */
async function stored({ url }: RedisServer, agent: string) {
  const client = redisClient(url);
  const store = new RedisPlanStore({ url });
  try {
    const runs = (await client.lrange(`spanplan:runs_index:${agent}`, 0, -1)).sort();
    const support = await store.support(agent);
    return { runs, support: support.map(({ toolNames, runs }) => ({ tools: toolNames, runs })) };
  } finally {
    client.disconnect();
    await store.close();
  }
}

/** Warnings and errors of the log, sorted. */
function linesOf({ log }: SidecarProcess): readonly string[] {
  return log
    .filter(({ level }) => level !== 'info')
    .map(({ level, msg }) => `${level} ${String(msg).replace(/(wait:) .*/, '$1 REASON')}`)
    .sort();
}

/** For whoever has an outage last as long as a real one. */
function report(samples: readonly Sample[], spans: object): void {
  const rss = samples.map((sample) => Math.round(sample.rss / MIB));
  console.log({ ...spans, rssMiB: { first: rss[0], least: Math.min(...rss), most: Math.max(...rss) } });
}
