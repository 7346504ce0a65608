import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { metricsOf, spansOf } from '../test/e2e/sidecar-metrics.ts';
import { startRedisServer } from '../test/support/redis-server.ts';
import { ProbedProcess } from './probed-process.ts';
import { machine, writeSection } from './results.ts';
import { SoakSenders } from './soak-senders.ts';

/**
 *     npm run bench:soak                     two minutes
 *     npm run bench:soak -- --minutes 60
 *
 * The sidecar as a process and a real Redis under a steady mixed load, beside a server that only reads the bodies of the
 * same requests. Ends with status 1 where something does not hold, and writes what it saw into bench/RESULTS.md.
 */
const minutes = minutesOf(process.argv.slice(2));
/** Of what the machine can take. */
const LOAD_SHARE = 0.5;
const CALIBRATION_MILLIS = 8_000;
/** Before the end, while all is still under load. */
const SHORTLY_MILLIS = 500;
const TOLERATED_GROWTH = 1.15;
/** Wider, as what the engine holds for garbage to come settles within many minutes only. */
const TOLERATED_RSS_GROWTH = 1.3;
const TOLERATED_DELAY = 3;
const SETTLE_MILLIS = 60_000;

/** Traces are finished and forgotten within seconds, so that memory is steady after the first third. */
const FANOUT = { root_quiet: '1s', remote_root_quiet: '1s', idle: '3s', late: '5s' };

const directory = await mkdtemp(join(tmpdir(), 'spanplan-soak-'));
const redis = await startRedisServer();
const faults: string[] = [];
try {
  await soak();
} finally {
  await redis.dispose();
  await rm(directory, { recursive: true, force: true });
}
for (const fault of faults) console.error(`does not hold: ${fault}`);
process.exit(faults.length > 0 ? 1 : 0);

async function soak(): Promise<void> {
  const sidecar = await ProbedProcess.sidecar(await configFile());
  const bare = await ProbedProcess.bare();
  const { admin, http, grpc } = sidecar.ready;
  const senders = new SoakSenders({ http: portOf(http), grpc: portOf(grpc) }, bare.ports);

  // Both are warm then, and what the machine can take is known.
  const most = await senders.run({ millis: CALIBRATION_MILLIS, spansPerSecond: undefined });
  const spansPerSecond = LOAD_SHARE * most;
  // So much may have been too much, and what was told to come again did not.
  await settled(admin);
  senders.failures.clear();
  const millis = minutes * 60_000;
  const before = await sidecar.probe();
  for (const server of [sidecar, bare]) server.reset();
  const from = performance.now();
  const sending = senders.run({ millis, spansPerSecond });
  await sleep(millis / 3);
  const early = await sidecar.collect();
  await sleep(millis * (2 / 3) - SHORTLY_MILLIS);
  const late = await sidecar.collect();
  const held = await sending;
  const last = await sidecar.probe();
  const beside = await bare.probe();
  const load = (last.cpu - before.cpu) / 1_000 / (performance.now() - from);

  const spans = await settled(admin);
  const metrics = await metricsOf(admin);
  const refused = [...senders.failures.values()].reduce((sum, count) => sum + count, 0);
  const plans = await plansOf(admin);
  const status = await sidecar.stop();
  await bare.stop();
  senders.close();

  const found = spans.learned + spans.ignored + spans.duplicate;
  for (const [failure, count] of senders.failures)
    check(false, `${count} requests were not taken by ${failure}`);
  check(spans.received === senders.spans, `${spans.received} of ${senders.spans} spans were received`);
  check(spans.received === found, `${found} of ${spans.received} spans came to their end`);
  check(spans.dropped === 0, `${spans.dropped} spans were dropped`);
  check(spans.duplicate === 0, `${spans.duplicate} spans were taken for duplicates`);
  check(metrics.total('spanplan_receiver_spans_rejected_total') === 0, 'spans were rejected');
  check(plans > 1, 'the plans of several agents were to be learned');
  check(
    late.live <= early.live * TOLERATED_GROWTH,
    `memory in use grew from ${sizes(early.live, late.live)}`,
  );
  check(late.rss <= early.rss * TOLERATED_RSS_GROWTH, `memory grew from ${sizes(early.rss, late.rss)}`);
  check(
    last.loopMillis <= TOLERATED_DELAY * beside.loopMillis,
    `the event loop was ${last.loopMillis} ms late, beside ${beside.loopMillis} ms`,
  );
  check(status === 0, `the sidecar ended with status ${status}`);
  check(
    held > 0.9 * spansPerSecond,
    `${Math.round(held)} of ${Math.round(spansPerSecond)} spans/s were sent`,
  );

  const text = `Made by \`npm run bench:soak\` on ${machine()}: ${minutes} minutes, ${Math.round(held).toLocaleString('en')} spans/s (${Math.round(100 * load)} % of one core)
of HTTP with protobuf and JSON and of gRPC, in requests of 46 KB and 1.4 MB, a tenth of the spans or all of them of
agents; into the sidecar with Redis, and into a server that only reads the bodies.

| what | seen | bound |
|---|---|---|
| spans sent, received, and learned or ignored | ${senders.spans.toLocaleString('en')}, ${spans.received.toLocaleString('en')}, ${found.toLocaleString('en')} | equal |
| spans dropped, requests refused | ${spans.dropped}, ${refused} | 0, 0 |
| memory in use after the first third and at the end, garbage collected | ${sizes(early.live, late.live)} | at most ${TOLERATED_GROWTH} times |
| the same as the system sees it (RSS) | ${sizes(early.rss, late.rss)} | at most ${TOLERATED_RSS_GROWTH} times |
| event loop, 99th percentile of the time between two looks 1 ms apart | ${last.loopMillis.toFixed(1)} ms, beside ${beside.loopMillis.toFixed(1)} ms | at most ${TOLERATED_DELAY} times |`;
  console.log(text);
  await writeSection('soak', text);
}

function check(holds: boolean, fault: string): void {
  if (!holds) faults.push(fault);
}

async function configFile(): Promise<string> {
  const endpoint = '127.0.0.1:0';
  const file = join(directory, 'spanplan.yaml');
  // What is valid JSON is valid YAML.
  const config = {
    receivers: { otlp: { protocols: { http: { endpoint }, grpc: { endpoint } } } },
    processors: { fanout: FANOUT },
    exporters: { redis: { endpoint: redis.url } },
    extensions: { admin: { endpoint } },
    service: { telemetry: { logs: { encoding: 'json' } } },
  };
  await writeFile(file, JSON.stringify(config));
  return file;
}

/** The account of all spans, once none waits for anything. */
async function settled(admin: string) {
  const deadline = performance.now() + SETTLE_MILLIS;
  for (;;) {
    const spans = await spansOf(admin);
    if (spans.buffered + spans.awaiting === 0 || performance.now() > deadline) return spans;
    await sleep(500);
  }
}

/** How many agents have a plan. */
async function plansOf(admin: string): Promise<number> {
  const answer = await fetch(`http://${admin}/v1/plans`);
  const { agents } = (await answer.json()) as { readonly agents: readonly unknown[] };
  return agents.length;
}

function sizes(early: number, late: number): string {
  return [early, late].map((bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`).join(' to ');
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1));
}

function minutesOf([flag, given, ...rest]: readonly string[]): number {
  if (flag === undefined) return 2;
  if (flag === '--minutes' && Number(given) > 0 && rest.length === 0) return Number(given);
  console.error('npm run bench:soak [-- --minutes N]   (N above 0; 2 by default)');
  return process.exit(2);
}
