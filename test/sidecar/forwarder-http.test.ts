import { deflateSync, gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { ForwarderOptions } from '../../src/sidecar/forward/forward-options.ts';
import { Forwarder } from '../../src/sidecar/forward/forwarder.ts';
import {
  type HttpUpstreamServer,
  otlpRequest,
  startHttpUpstream,
  success,
  until,
} from './forwarder-upstreams.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function upstream(...args: Parameters<typeof startHttpUpstream>): Promise<HttpUpstreamServer> {
  const server = await startHttpUpstream(...args);
  closers.push(() => server.close());
  return server;
}

async function open(endpoint: string, options: Partial<ForwarderOptions> = {}): Promise<Forwarder> {
  const forwarder = await Forwarder.open({ endpoint, protocol: 'http', ...options });
  closers.push(() => forwarder.close());
  return forwarder;
}

const message = Buffer.from([0x0a, 0x05, 0x12, 0x03, 0x0a, 0x01, 0xff, 0x80]);
const json = Buffer.from('{ "resourceSpans": [ ],\n "unknown":"\\u00e9" }');

describe('a body goes on byte for byte', () => {
  it.each([
    ['protobuf', 'application/x-protobuf', undefined, message],
    ['protobuf in gzip', 'application/x-protobuf', 'gzip', gzipSync(message, { level: 1 })],
    ['protobuf in deflate', 'application/x-protobuf', 'deflate', deflateSync(message)],
    ['JSON, its white space included', 'application/json', undefined, json],
    ['JSON in gzip', 'application/json', 'gzip', gzipSync(json)],
    [
      'zstd, though this Node may not know it',
      'application/x-protobuf',
      'zstd',
      Buffer.from([0x28, 0xb5, 0x2f]),
    ],
    ['nothing at all', 'application/x-protobuf', undefined, Buffer.alloc(0)],
  ] as const)('%s', async (_, contentType, contentEncoding, body) => {
    const server = await upstream();
    const forwarder = await open(server.url);
    expect(forwarder.forward(otlpRequest({ contentType, contentEncoding, body }))).toBeUndefined();
    await until(() => forwarder.stats.sent === 1);
    const [got] = server.received;
    expect(got?.body.equals(body)).toBe(true);
    expect(got?.headers['content-type']).toBe(contentType);
    expect(got?.headers['content-encoding']).toBe(contentEncoding);
    expect(got?.headers['content-length']).toBe(String(body.length));
    expect(got?.headers['transfer-encoding']).toBeUndefined();
  });

  it('whatever its bytes are', async () => {
    const server = await upstream();
    const forwarder = await open(server.url);
    const request = fc.record({
      signal: fc.constantFrom('traces' as const, 'metrics' as const, 'logs' as const),
      contentType: fc.constantFrom('application/json' as const, 'application/x-protobuf' as const),
      body: fc.uint8Array({ maxLength: 100_000 }),
    });
    await fc.assert(
      fc.asyncProperty(request, async (changes) => {
        await forwarder.forwardSync(otlpRequest(changes));
        const got = server.received.at(-1);
        expect(got?.path).toBe(`/v1/${changes.signal}`);
        expect(got?.headers['content-type']).toBe(changes.contentType);
        expect(got?.body.equals(changes.body)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it('and a gRPC message becomes a body of protobuf', async () => {
    const server = await upstream();
    const forwarder = await open(server.url);
    const headers = { 'content-type': 'application/grpc', 'accept-encoding': 'identity', 'x-team': 'blue' };
    void forwarder.forward(otlpRequest({ transport: 'grpc', headers, body: message }));
    await until(() => forwarder.stats.sent === 1);
    const [got] = server.received;
    expect(got?.body.equals(message)).toBe(true);
    expect(got?.headers).toMatchObject({ 'content-type': 'application/x-protobuf', 'x-team': 'blue' });
    expect(got?.headers['accept-encoding']).toBeUndefined();
  });
});

describe('compression: gzip', () => {
  it('compresses what came uncompressed, and leaves alone what did not', async () => {
    const server = await upstream();
    const forwarder = await open(server.url, { compression: 'gzip' });
    const zipped = gzipSync(message, { level: 9 });
    await forwarder.forwardSync(otlpRequest({ body: message }));
    await forwarder.forwardSync(otlpRequest({ body: zipped, contentEncoding: 'gzip' }));
    const [plain, compressed] = server.received;
    expect(plain?.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(plain?.body ?? '').equals(message)).toBe(true);
    expect(compressed?.headers['content-encoding']).toBe('gzip');
    expect(compressed?.body.equals(zipped)).toBe(true);
  });

  it('is named by the sender in words of its own, which go on', async () => {
    const server = await upstream();
    const forwarder = await open(server.url);
    const headers = { 'content-encoding': 'X-GZIP' };
    const body = gzipSync(message);
    await forwarder.forwardSync(otlpRequest({ headers, contentEncoding: 'gzip', body }));
    expect(server.received[0]?.headers['content-encoding']).toBe('X-GZIP');
  });
});

describe('header fields', () => {
  it('go on, but those of the hop, host and content-length; configured ones come instead of theirs', async () => {
    const server = await upstream();
    const forwarder = await open(server.url, { headers: { 'X-Api-Key': 'ours', Added: 'yes' } });
    const headers = {
      'content-type': 'application/x-protobuf; q=1',
      'user-agent': 'OTel-OTLP-Exporter/1',
      'accept-encoding': 'gzip, deflate',
      authorization: 'Bearer for-the-upstream',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      'x-api-key': 'theirs',
      'x-many': ['1', '2'],
      connection: 'keep-alive, x-named',
      'x-named': 'for this hop',
      'keep-alive': 'timeout=5',
      host: 'localhost:4318',
      'content-length': '7777',
      'transfer-encoding': 'chunked',
      te: 'trailers',
    };
    await forwarder.forwardSync(otlpRequest({ headers }));
    const got = server.received[0]?.headers;
    expect(got).toMatchObject({
      'content-type': 'application/x-protobuf; q=1',
      'user-agent': 'OTel-OTLP-Exporter/1',
      'accept-encoding': 'gzip, deflate',
      authorization: 'Bearer for-the-upstream',
      traceparent: headers.traceparent,
      'x-api-key': 'ours',
      'x-many': '1, 2',
      added: 'yes',
      host: `127.0.0.1:${server.port}`,
      'content-length': '2',
    });
    for (const name of ['x-named', 'keep-alive', 'te', 'transfer-encoding', 'expect']) {
      expect(got).not.toHaveProperty(name);
    }
  });

  it('hold the credential of the endpoint, which is no part of the URL then', async () => {
    const server = await upstream();
    const forwarder = await open(server.url.replace('http://', 'http://us%20er:p%40ss@'));
    await forwarder.forwardSync(otlpRequest());
    expect(server.received[0]?.headers.authorization).toBe(
      `Basic ${Buffer.from('us er:p@ss').toString('base64')}`,
    );
  });

  it('that HTTP cannot carry make a request that cannot be sent, now or later', async () => {
    const server = await upstream();
    const forwarder = await open(server.url);
    const headers = { 'x-name': 'Łódź' };
    expect((await forwarder.forwardSync(otlpRequest({ headers }))).status).toBe(400);
    void forwarder.forward(otlpRequest({ headers }));
    await until(() => forwarder.stats.queuedRequests === 0);
    expect(forwarder.stats).toMatchObject({
      refusals: { rejected: 1 },
      dropped: { rejected: 1 },
      retries: 0,
    });
    expect(server.received).toEqual([]);
  });

  it('named like members of every object are fields like any other', async () => {
    const server = await upstream();
    const forwarder = await open(server.url);
    const headers = JSON.parse('{"__proto__":"a","constructor":"b"}') as Record<string, string>;
    expect((await forwarder.forwardSync(otlpRequest({ headers }))).status).toBe(200);
    expect(Object.entries(server.received[0]?.headers ?? {})).toContainEqual(['constructor', 'b']);
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
  });
});

describe('the endpoint is a base', () => {
  it.each([
    ['', 'traces', '/v1/traces'],
    ['/', 'metrics', '/v1/metrics'],
    ['/otlp/eu', 'logs', '/otlp/eu/v1/logs'],
    ['/otlp/', 'traces', '/otlp/v1/traces'],
    ['/otlp?key=1', 'traces', '/otlp/v1/traces?key=1'],
  ] as const)('%j and %s make %s', async (path, signal, expected) => {
    const server = await upstream();
    const forwarder = await open(server.url + path);
    await forwarder.forwardSync(otlpRequest({ signal }));
    expect(server.received[0]?.path).toBe(expected);
  });

  it.each([
    ['no URL', 'localhost', /is no URL; expected http:\/\/HOST:PORT/],
    ['another scheme', 'redis://h:1', /begins with redis:/],
    ['the path of a signal', 'http://h:4318/v1/traces', /path of one signal/],
  ])('and refused with a sentence: %s', async (_, endpoint, sentence) => {
    await expect(Forwarder.open({ endpoint, protocol: 'http' })).rejects.toThrow(sentence);
  });

  it('and a sentence never shows a password', async () => {
    const opening = Forwarder.open({ endpoint: 'http://u:secret@h:99999', protocol: 'http' });
    await expect(opening).rejects.toThrow(/^(?!.*secret)/);
  });
});

describe('connections', () => {
  it('are used again, also where the upstream closed them meanwhile', async () => {
    const server = await upstream();
    const forwarder = await open(server.url);
    for (let i = 0; i < 5; i++) await forwarder.forwardSync(otlpRequest());
    expect(server.connections).toBe(1);
    await server.close();
    const again = await upstream(undefined, server.port);
    expect((await forwarder.forwardSync(otlpRequest())).status).toBe(200);
    expect(again.received).toHaveLength(1);
  });

  it('without TLS stay as they are when certificates change', async () => {
    const server = await upstream();
    const forwarder = await open(server.url);
    await forwarder.forwardSync(otlpRequest());
    forwarder.renew({ ca: 'of no use here' });
    expect((await forwarder.forwardSync(otlpRequest())).status).toBe(200);
    expect(server.connections).toBe(1);
  });

  it('are 128 at most, however many senders wait', async () => {
    const held: (() => void)[] = [];
    const server = await upstream((request, response) => held.push(() => success(request, response)));
    const forwarder = await open(server.url);
    const answers = Array.from({ length: 150 }, () => forwarder.forwardSync(otlpRequest()));
    await until(() => held.length === 128);
    while (forwarder.stats.sent < 150) {
      for (const answer of held.splice(0)) answer();
      await until(() => held.length > 0 || forwarder.stats.sent === 150);
    }
    for (const { status } of await Promise.all(answers)) expect(status).toBe(200);
    expect(server.connections).toBe(128);
  });
});
