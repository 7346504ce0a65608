import { writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { decodeOtlpJson } from '../../src/source/otlp/otlp-json.ts';
import { decodeOtlpProtobuf } from '../../src/source/otlp/otlp-protobuf.ts';
import { workFolder } from '../cli/work-folder.ts';
import { type Received, startHttpUpstream, success } from '../sidecar/forwarder-upstreams.ts';
import { eventually, groupsOf, learnedPlan } from '../sidecar/running-sidecar.ts';
import { RawConnection } from '../wire/http-client.ts';
import { ExportingAgent, TRANSPORTS } from './exporting-agent.ts';
import { metricsOf, spansOf } from './sidecar-metrics.ts';
import { type SidecarProcess, serve } from './sidecar-process.ts';

// Real exporters against the real command, whose room is so small that it must send them away again and again.

const BODY_BYTES = 256 * 1_024;

test('exporters that are sent away for want of room come again, and lose nothing', {
  timeout: 40_000,
}, async () => {
  const upstream = await startUpstream();
  const sidecar = await serveWithLittleRoom(`{endpoint: "${upstream.url}"}`);
  const agents = TRANSPORTS.map(
    (transport) => new ExportingAgent({ name: transport, transport, to: sidecar.ready }),
  );
  const load = setInterval(() => {
    for (const agent of agents) agent.run();
  }, 20);
  onTestFinished(() => clearInterval(load));
  // What is refused comes again after one to three seconds: between the two times, and then once more.
  for (const pause of [3_500, 500]) {
    const release = await takeAllRoom(sidecar);
    await sleep(800);
    release();
    await sleep(pause);
  }
  clearInterval(load);
  await Promise.all(agents.map((agent) => agent.delivered()));

  expect(await settled(sidecar, agents)).toEqual({ ...LEARNED_ONCE, ...countsOf(agents) });
  const answers = await answersOf(sidecar);
  expect(answers).toMatchObject({ 0: SOME, 14: SOME, 200: SOME, 503: SOME });
  // 400 is what those got who took the room, and never sent their last byte.
  expect(['0', '14', '200', '400', '503']).toEqual(expect.arrayContaining(Object.keys(answers)));
  // What was refused did not go on, and what went on went on once.
  await expect.poll(() => upstream.spanIds.length, { timeout: 10_000 }).toBe(sentBy(agents).length);
  expect(upstream.spanIds.toSorted()).toEqual(sentBy(agents));
  await expectPlans(sidecar, agents);
  expect(sidecar.log.filter(({ level }) => level !== 'info')).toEqual([]);
});

describe('several exporters that take the room from one another', () => {
  test('lose nothing, and neither does the upstream that they wait for', { timeout: 60_000 }, async () => {
    const upstream = await startUpstream(150);
    const sidecar = await serveWithLittleRoom(`{endpoint: "${upstream.url}", sync: true}`);
    const agents = [...TRANSPORTS, ...TRANSPORTS].map(
      (transport, at) =>
        new ExportingAgent({
          name: `planner-${at}`,
          transport,
          to: sidecar.ready,
          promptBytes: 6_144,
          timeoutMillis: 30_000,
        }),
    );
    for (let run = 0; run < 32; run++) for (const agent of agents) agent.run();
    await Promise.all(agents.map((agent) => agent.delivered()));

    expect(await settled(sidecar, agents)).toEqual({ ...LEARNED_ONCE, ...countsOf(agents) });
    expect(await answersOf(sidecar)).toEqual({ 0: SOME, 14: SOME, 200: SOME, 503: SOME });
    expect(upstream.spanIds.toSorted()).toEqual(sentBy(agents));
    await expectPlans(sidecar, agents);
  });

  test('and are told so by the upstream: what comes again is learned once', { timeout: 60_000 }, async () => {
    let refused = 0;
    const upstream = await startUpstream(20, (count) => {
      if (count % 3 !== 0) return false;
      refused++;
      return true;
    });
    const sidecar = await serveWithLittleRoom(`{endpoint: "${upstream.url}", sync: true}`);
    const agents = TRANSPORTS.map(
      (transport) =>
        new ExportingAgent({ name: transport, transport, to: sidecar.ready, timeoutMillis: 30_000 }),
    );
    for (let run = 0; run < 48; run++) for (const agent of agents) agent.run();
    await Promise.all(agents.map((agent) => agent.delivered()));

    expect(refused).toBeGreaterThan(0);
    const sent = sentBy(agents).length;
    const spans = await settled(sidecar, agents);
    // It was learned when it first came, whatever the upstream said.
    expect(spans).toMatchObject({ failures: [], learned: sent, duplicate: SOME, ignored: 0, dropped: 0 });
    expect(spans.received).toBe(sent + spans.duplicate);
    expect(upstream.spanIds.toSorted()).toEqual(sentBy(agents));
  });
});

/** A sidecar that has room for two bodies at a time. */
function serveWithLittleRoom(destination: string): Promise<SidecarProcess> {
  const cwd = workFolder();
  const size = `max_request_body_size: ${BODY_BYTES}`;
  writeFileSync(
    join(cwd, 's.yaml'),
    `receivers: {otlp: {max_in_flight_size: ${2 * BODY_BYTES}, protocols: {http: {${size}}, grpc: {${size}}}}}
processors: {fanout: {root_quiet: 200ms}}
exporters: {memory: , otlphttp: ${destination}}`,
  );
  return serve(['--config', 's.yaml'], { cwd });
}

/** Takes all the room there is for bodies, as senders do that stop before their last byte. Gives back how to let go. */
async function takeAllRoom({ ready }: SidecarProcess): Promise<() => void> {
  const { hostname: host, port } = new URL(`http://${ready.http}`);
  const begin = async () => {
    const connection = await RawConnection.open({ host, port: Number(port) });
    connection.write('POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n');
    connection.write(`Content-Length: ${BODY_BYTES}\r\n\r\n${' '.repeat(BODY_BYTES - 1)}`);
    return connection;
  };
  const again = async (connection: RawConnection) => {
    connection.close();
    return begin();
  };
  let held: readonly RawConnection[] = await Promise.all([begin(), begin()]);
  await eventually(async () => {
    // Others may have been there first.
    held = await Promise.all(held.map((one) => (one.text === '' ? one : again(one))));
    const answer = await fetch(`http://${ready.admin}/readyz`);
    return ((await answer.json()) as { status: string }).status === 'full' ? true : undefined;
  });
  return () => {
    for (const connection of held) connection.close();
  };
}

const SOME = expect.toSatisfy((count: number) => count > 0);

/** How often the sidecar answered with each status. */
async function answersOf({ ready }: SidecarProcess): Promise<Readonly<Record<string, number>>> {
  return (await metricsOf(ready.admin)).by('spanplan_receiver_answers_total', 'status');
}

const LEARNED_ONCE = { failures: [], buffered: 0, awaiting: 0, duplicate: 0, ignored: 0, dropped: 0 };

const countsOf = (agents: readonly ExportingAgent[]) => {
  const sent = sentBy(agents).length;
  return { received: sent, learned: sent };
};

/** What became of the spans, once all are learned or it is clear that they will not be. */
async function settled({ ready }: SidecarProcess, agents: readonly ExportingAgent[]) {
  const sent = sentBy(agents).length;
  const spans = await eventually(async () => {
    const spans = await spansOf(ready.admin);
    return spans.learned >= sent ? spans : undefined;
  }).catch(() => spansOf(ready.admin));
  return { failures: agents.flatMap(({ failures }) => failures), ...spans };
}

/** The ids of all spans, sorted. */
function sentBy(agents: readonly ExportingAgent[]): readonly string[] {
  return agents.flatMap(({ spanIds }) => [...spanIds]).sort();
}

async function expectPlans({ ready }: SidecarProcess, agents: readonly ExportingAgent[]): Promise<void> {
  for (const { name } of agents) {
    expect(groupsOf(await learnedPlan(`http://${ready.admin}`, name))).toEqual([['fetch', 'search']]);
  }
}

/** Where spans go on to: keeps the ids of those that it answered with success. */
async function startUpstream(millis = 0, refuses: (count: number) => boolean = () => false) {
  const spanIds: string[] = [];
  const { url, close } = await startHttpUpstream((request, response, count) => {
    setTimeout(() => answer(request, response, count), millis);
  });
  onTestFinished(close);
  const answer = (request: Received, response: ServerResponse, count: number) => {
    if (refuses(count)) {
      response.writeHead(503, { 'retry-after': '1', 'content-type': request.headers['content-type'] });
      response.end();
      return;
    }
    spanIds.push(...spanIdsOf(request));
    success(request, response);
  };
  return { url, spanIds };
}

function spanIdsOf({ headers, body }: Received): readonly string[] {
  const { spans } =
    headers['content-type'] === 'application/json'
      ? decodeOtlpJson(body.toString(), () => false)
      : decodeOtlpProtobuf(body, () => false);
  return spans.map(({ spanId }) => spanId);
}
