import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { connect } from 'node:http2';
import { type AddressInfo, createConnection } from 'node:net';
import { gzipSync } from 'node:zlib';
import { status as codes, Metadata, type ServiceError } from '@grpc/grpc-js';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { readStatus } from '../../src/source/receiver/otlp-status.ts';
import { fanout } from '../cli/span-request.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { call, EXPORT, grpcClient } from '../wire/grpc-client.ts';
import { startGrpcUpstream, until } from './forwarder-upstreams.ts';
import { eventually, postSpans, runSidecar } from './running-sidecar.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A span with ids of zeros only, which is not usable, in a request that is good otherwise. */
const ONE_BAD = Buffer.from(
  JSON.stringify({
    resourceSpans: [{ scopeSpans: [{ spans: [{ traceId: '0', spanId: '0', name: 'x' }] }] }],
  }),
);
const GOOD = Buffer.from(JSON.stringify(fanout('planner', ['fetch', 'search'])));
const JSON_TYPE = { 'content-type': 'application/json' };

interface Got {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

/** Where spans went before, over HTTP. */
async function startUpstream(
  answer: (response: ServerResponse, got: Got) => void = (response) =>
    response.writeHead(200, JSON_TYPE).end('{}'),
) {
  const got: Got[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const { url: path = '', headers, rawHeaders } = request;
    const one = { path, headers, rawHeaders, body: Buffer.concat(chunks) };
    got.push(one);
    answer(response, one);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, got };
}

async function metric(admin: string, name: string): Promise<number> {
  const text = await (await fetch(`${admin}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1) ?? 0);
}

describe('what goes on', () => {
  test('a chunked body is the same bytes, without the hop: no trailers, nothing that Connection names', async () => {
    const upstream = await startUpstream();
    const { http } = await runSidecar('', { forward: upstream.url });
    const { port, hostname } = new URL(http);
    const socket = createConnection(Number(port), hostname);
    closers.push(() => socket.destroy());
    const halves = [GOOD.subarray(0, 100), GOOD.subarray(100)];
    const chunks = halves.map((half) => `${half.length.toString(16)}\r\n${half.toString()}\r\n`);
    socket.write(
      `POST /v1/traces HTTP/1.1\r\nHost: sidecar.example\r\nContent-Type: Application/JSON; charset=utf-8\r\n` +
        'Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=9\r\nTE: trailers\r\nTrailer: X-Sum\r\n' +
        'Proxy-Authorization: Basic eA==\r\nGrpc-Timeout: 1S\r\nGrpc-Metadata-Team: red\r\nX-Team: blue\r\nX-Team: green\r\nAuthorization: Bearer theirs\r\n' +
        `Transfer-Encoding: chunked\r\n\r\n${chunks.join('')}0\r\nX-Sum: 7\r\n\r\n`,
    );
    await until(() => upstream.got.length === 1);
    const [{ headers, rawHeaders, body }] = upstream.got as [Got];
    expect(body.equals(GOOD)).toBe(true);
    expect(headers).toMatchObject({
      'content-type': 'Application/JSON; charset=utf-8',
      'content-length': String(GOOD.length),
      authorization: 'Bearer theirs', // nobody asked for one here: it is for the upstream
      'x-team': 'blue, green',
      'grpc-metadata-team': 'red',
      host: new URL(upstream.url).host,
    });
    const names = rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
    expect(names.filter((name) => name === 'x-team')).toHaveLength(2);
    for (const name of [
      'x-hop',
      'keep-alive',
      'te',
      'trailer',
      'x-sum',
      'proxy-authorization',
      'grpc-timeout',
    ]) {
      expect(names).not.toContain(name);
    }
  });

  test('gzip stays as it was compressed', async () => {
    const upstream = await startUpstream();
    const { http } = await runSidecar('', { forward: upstream.url });
    const body = gzipSync(GOOD, { level: 1 });
    const headers = { ...JSON_TYPE, 'content-encoding': 'gzip' };
    expect((await fetch(`${http}/v1/traces`, { method: 'POST', headers, body })).status).toBe(200);
    await until(() => upstream.got.length === 1);
    expect(upstream.got[0]?.headers['content-encoding']).toBe('gzip');
    expect(upstream.got[0]?.body.equals(body)).toBe(true);
  });

  test('but for the credential that let the sender in, while configured ones go along', async () => {
    const upstream = await startUpstream();
    const auth = 'auth: {tokens: [{token: ours}]}';
    const { http } = await runSidecar(
      `receivers: {otlp: {protocols: {http: {${auth}}}}}\n` +
        `exporters: {memory: , otlphttp: {endpoint: "${upstream.url}", headers: {x-api-key: theirs}}}`,
    );
    const headers = { authorization: 'Bearer ours', 'x-other': 'stays' };
    expect((await postSpans(http, fanout('planner', ['a', 'b']), headers)).status).toBe(200);
    await until(() => upstream.got.length === 1);
    expect(upstream.got[0]?.headers).toMatchObject({ 'x-api-key': 'theirs', 'x-other': 'stays' });
    expect(upstream.got[0]?.headers).not.toHaveProperty('authorization');
    expect(JSON.stringify(upstream.got[0]?.headers)).not.toContain('ours');
  });

  test('a body of which a part was rejected, whole', async () => {
    const upstream = await startUpstream();
    const { http } = await runSidecar('', { forward: upstream.url });
    const answer = await fetch(`${http}/v1/traces`, { method: 'POST', headers: JSON_TYPE, body: ONE_BAD });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ partialSuccess: { rejectedSpans: '1' } });
    await until(() => upstream.got.length === 1);
    expect(upstream.got[0]?.body.equals(ONE_BAD)).toBe(true);
  });

  test('while plans cannot be written: forwarding does not wait for learning', async () => {
    const redis = await startRedisServer();
    onTestFinished(() => redis.dispose());
    await redis.stop();
    const upstream = await startUpstream();
    const yaml = 'service: {shutdown_timeout: 300ms}\nprocessors: {fanout: {root_quiet: 10ms}}';
    const { http } = await runSidecar(yaml, { store: redis.url, forward: upstream.url });
    for (let i = 1; i <= 20; i++) await postSpans(http, fanout('planner', ['a', 'b'], i));
    await until(() => upstream.got.length === 20);
  });
});

describe('what does not go on', () => {
  test('a request that is answered 4xx', async () => {
    const upstream = await startUpstream();
    const limit = 'max_request_body_size: 64KiB';
    const { http, admin } = await runSidecar(`receivers: {otlp: {protocols: {http: {${limit}}}}}`, {
      forward: upstream.url,
    });
    const post = async (path: string, headers: Record<string, string>, body: string | Buffer) =>
      (await fetch(http + path, { method: 'POST', headers, body })).status;
    const answers = [
      await post('/v1/traces', JSON_TYPE, '{"resourceSpans":['),
      await post('/v1/metrics', JSON_TYPE, '[]'),
      await post('/v1/elsewhere', JSON_TYPE, '{}'),
      await post('/v1/traces', JSON_TYPE, Buffer.alloc(70_000, ' ')),
      await post(
        '/v1/traces',
        { ...JSON_TYPE, 'content-encoding': 'gzip' },
        gzipSync(Buffer.alloc(70_000, ' ')),
      ),
      await post('/v1/traces', { 'content-type': 'text/plain' }, '{}'),
      await post('/v1/traces', { ...JSON_TYPE, 'content-encoding': 'compress' }, '{}'),
      (await fetch(`${http}/v1/traces`)).status,
    ];
    expect(answers).toEqual([400, 400, 404, 413, 413, 415, 415, 405]);
    expect(await post('/v1/traces', JSON_TYPE, '{}')).toBe(200);
    await until(() => upstream.got.length > 0);
    expect(upstream.got.map(({ body }) => body.toString())).toEqual(['{}']);
    expect(await metric(admin, 'spanplan_forward_sent_total')).toBe(1);
  });

  test('what finds no room in queue_size bytes, is not wanted, or was tried for too long: each counted', async () => {
    let status = 503;
    const upstream = await startUpstream((response) => response.writeHead(status).end());
    const queue = 'sending_queue: {queue_size: 20KiB, num_consumers: 2}';
    const retry = 'retry_on_failure: {initial_interval: 10ms, max_interval: 10ms, max_elapsed_time: 1500ms}';
    const { http, admin } = await runSidecar(
      `exporters: {memory: , otlphttp: {endpoint: "${upstream.url}", ${queue}, ${retry}}}`,
    );
    const body = `{"x":"${'y'.repeat(6_000)}"}`;
    for (let i = 0; i < 5; i++) {
      const answer = await fetch(`${http}/v1/logs`, { method: 'POST', headers: JSON_TYPE, body });
      expect(answer.status).toBe(200); // the sender has done its part
    }
    expect(await metric(admin, 'spanplan_forward_queue_requests')).toBe(3);
    const bytes = await metric(admin, 'spanplan_forward_queue_size');
    expect(bytes).toBeGreaterThan(3 * 6_000);
    expect(bytes).toBeLessThanOrEqual(20 * 1_024);
    const dropped = (reason: string) => metric(admin, `spanplan_forward_dropped_total{reason="${reason}"}`);
    expect(await dropped('queue_full')).toBe(2);
    await eventually(async () => ((await dropped('retry_expired')) === 3 ? true : undefined));
    status = 400;
    await fetch(`${http}/v1/logs`, { method: 'POST', headers: JSON_TYPE, body: '{}' });
    await eventually(async () => ((await dropped('rejected')) === 1 ? true : undefined));
  });
});

describe('with sync the sender gets the answer of the upstream', () => {
  test('status, header fields and body, over HTTP', async () => {
    const own = Buffer.from('{"code":8,"message":"quota of team blue","details":[{"@type":"x"}]}');
    const upstream = await startUpstream((response) =>
      response
        .writeHead(429, { ...JSON_TYPE, 'retry-after': '3', 'x-quota': '0', connection: 'close' })
        .end(own),
    );
    const { http } = await runSidecar(
      `exporters: {memory: , otlphttp: {endpoint: "${upstream.url}", sync: true}}`,
    );
    const answer = await postSpans(http, fanout('planner', ['a', 'b']));
    expect(answer.status).toBe(429);
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(own);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'application/json',
      'content-length': String(own.length),
      'retry-after': '3',
      'x-quota': '0',
    });
    expect(answer.headers.get('connection')).not.toBe('close');
  });

  test('a partial success of its own', async () => {
    const own = '{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}}';
    const upstream = await startUpstream((response) => response.writeHead(200, JSON_TYPE).end(own));
    const { http } = await runSidecar(
      `exporters: {memory: , otlphttp: {endpoint: "${upstream.url}", sync: true}}`,
    );
    expect(await (await postSpans(http, fanout('planner', ['a', 'b']))).text()).toBe(own);
  });

  test.each(['ABORTED', 'RESOURCE_EXHAUSTED', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED'] as const)(
    'code, message and details over gRPC: %s',
    async (code) => {
      // Status { code, message: "as it is", details: [Any { type_url: "x/y" }] }
      const details = Buffer.from([
        0x08,
        codes[code],
        0x12,
        2,
        0x61,
        0x73,
        0x1a,
        5,
        0x0a,
        3,
        0x78,
        0x2f,
        0x79,
      ]);
      const metadata = new Metadata();
      metadata.set('grpc-status-details-bin', details);
      const upstream = await startGrpcUpstream((_, answer) =>
        answer({ code: codes[code], details: 'as it is, 100 %', metadata, name: 'Error', message: '' }),
      );
      closers.push(() => upstream.close());
      const grpc = await freeGrpc(`exporters: {memory: , otlp: {endpoint: "${upstream.url}", sync: true}}`);
      const error = await callOf(grpc, Buffer.alloc(0));
      expect(error).toMatchObject({ code: codes[code], details: 'as it is, 100 %' });
      expect(error?.metadata.get('grpc-status-details-bin')).toEqual([details]);
      expect(readStatus(details)?.code).toBe(codes[code]);
    },
  );
});

describe('a gRPC message', () => {
  test('goes on byte for byte, compressed by its sender or not', async () => {
    const upstream = await startGrpcUpstream();
    closers.push(() => upstream.close());
    const grpc = await freeGrpc(`exporters: {memory: , otlp: {endpoint: "${upstream.url}"}}`);
    // An empty ResourceSpans, and a field that nobody knows.
    const message = Buffer.from([0x0a, 0x00, 0xfa, 0x3f, 0x02, 0xff, 0x00]);
    expect(await callOf(grpc, message)).toBeUndefined();
    const session = connect(`http://${grpc}`);
    closers.push(() => session.destroy());
    const head = { ':method': 'POST', ':path': EXPORT, 'content-type': 'application/grpc', te: 'trailers' };
    const stream = session.request({ ...head, 'grpc-encoding': 'gzip', 'x-team': 'blue' });
    const zipped = gzipSync(message);
    const prefix = Buffer.from([1, 0, 0, 0, zipped.length]);
    stream.end(Buffer.concat([prefix, zipped]));
    stream.resume();
    await until(() => upstream.received.length === 2);
    for (const { message: got } of upstream.received) expect(got.equals(message)).toBe(true);
    expect(upstream.received[1]?.metadata.get('x-team')).toEqual(['blue']);
  });

  test('that is malformed does not go on', async () => {
    const upstream = await startGrpcUpstream();
    closers.push(() => upstream.close());
    const grpc = await freeGrpc(`exporters: {memory: , otlp: {endpoint: "${upstream.url}"}}`);
    expect(await callOf(grpc, Buffer.from([0x0a, 0x7f]))).toMatchObject({ code: codes.INVALID_ARGUMENT });
    expect(await callOf(grpc, Buffer.alloc(0))).toBeUndefined();
    await until(() => upstream.received.length > 0);
    expect(upstream.received.map(({ message }) => message.length)).toEqual([0]);
  });
});

/** Runs a sidecar, and tells where it takes gRPC. */
async function freeGrpc(yaml: string): Promise<string> {
  const { log } = await runSidecar(yaml);
  const ready = log.find(({ msg }) => String(msg).startsWith('ready'));
  return String(ready?.grpc);
}

async function callOf(address: string, message: Buffer): Promise<ServiceError | undefined> {
  const [host = '', port] = address.split(':');
  return (await call(grpcClient({ host, port: Number(port) }), message)).error;
}
