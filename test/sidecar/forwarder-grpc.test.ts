import {
  createServer as createHttp2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { deflateSync, gunzipSync, gzipSync } from 'node:zlib';
import { status as codes, Metadata } from '@grpc/grpc-js';
import fc from 'fast-check';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ForwarderOptions } from '../../src/sidecar/forward/forward-options.ts';
import { retryInfoSeconds } from '../../src/sidecar/forward/forward-retry-info.ts';
import { type ForwardDrop, Forwarder } from '../../src/sidecar/forward/forwarder.ts';
import { encodeStatus, readStatus } from '../../src/source/receiver/otlp-status.ts';
import { Refusal } from '../../src/source/receiver/refusal.ts';
import { otlpRequest, startGrpcUpstream, startHttpUpstream, until } from './forwarder-upstreams.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function upstream(...args: Parameters<typeof startGrpcUpstream>) {
  const server = await startGrpcUpstream(...args);
  closers.push(() => server.close());
  return server;
}

async function open(endpoint: string, options: Partial<ForwarderOptions> = {}, drops: ForwardDrop[] = []) {
  const retry = { initialIntervalMillis: 10, maxIntervalMillis: 20, maxElapsedMillis: 30_000 };
  const forwarder = await Forwarder.open({ endpoint, protocol: 'grpc', retry, ...options }, (drop) =>
    drops.push(drop),
  );
  closers.push(() => forwarder.close());
  return forwarder;
}

const message = Buffer.from([0x0a, 0x05, 0x12, 0x03, 0x0a, 0x01, 0xff, 0x80]);
const grpcRequest = (changes = {}) => otlpRequest({ transport: 'grpc', body: message, ...changes });

/** What a server says in `grpc-status-details-bin` when it wants to be left alone for a while. */
const retryInfo = (seconds: number) =>
  Buffer.from(encodeStatus(new Refusal(503, 14, 'later', { retryAfterSeconds: seconds }), 'protobuf'));

function failure(code: number, details = 'as the upstream says', own?: Buffer) {
  const metadata = new Metadata();
  if (own !== undefined) metadata.set('grpc-status-details-bin', own);
  return { code, details, metadata, name: 'Error', message: details };
}

describe('a message goes on byte for byte', () => {
  it.each([
    ['traces', '/opentelemetry.proto.collector.trace.v1.TraceService/Export'],
    ['metrics', '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export'],
    ['logs', '/opentelemetry.proto.collector.logs.v1.LogsService/Export'],
  ] as const)('%s to %s', async (signal, method) => {
    const server = await upstream();
    const forwarder = await open(server.url);
    expect(forwarder.forward(grpcRequest({ signal }))).toBeUndefined();
    await until(() => forwarder.stats.sent === 1);
    expect(server.received[0]?.method).toBe(method);
    expect(server.received[0]?.message.equals(message)).toBe(true);
  });

  it('whatever its bytes are, compressed on the way or not', async () => {
    const server = await upstream();
    const plain = await open(server.url);
    const zipped = await open(server.url, { compression: 'gzip' });
    const bytes = fc.uint8Array({ maxLength: 50_000 });
    await fc.assert(
      fc.asyncProperty(bytes, fc.constantFrom(plain, zipped), async (body, forwarder) => {
        expect((await forwarder.forwardSync(grpcRequest({ body }))).status).toBe(200);
        expect(server.received.at(-1)?.message.equals(body)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    ['protobuf', undefined, message],
    ['gzip', 'gzip', gzipSync(message)],
    ['deflate', 'deflate', deflateSync(message)],
  ])('taken out of an HTTP body of %s', async (_, contentEncoding, body) => {
    const server = await upstream();
    const forwarder = await open(server.url);
    const headers = {
      'content-type': 'application/x-protobuf',
      accept: 'application/x-protobuf',
      ...(contentEncoding && { 'content-encoding': contentEncoding }),
      'x-team': 'blue',
    };
    void forwarder.forward(otlpRequest({ headers, contentEncoding, body }));
    await until(() => forwarder.stats.sent === 1);
    expect(server.received[0]?.message.equals(message)).toBe(true);
    // The fields that describe a body of HTTP stay behind with it.
    const { metadata } = server.received[0] ?? {};
    expect(metadata?.get('x-team')).toEqual(['blue']);
    for (const name of ['accept', 'content-encoding']) expect(metadata?.get(name)).toEqual([]);
  });

  it('of 20 MiB too', async () => {
    const server = await upstream();
    const forwarder = await open(server.url);
    const body = Buffer.alloc(20 * 1_048_576, 7);
    expect((await forwarder.forwardSync(grpcRequest({ body }))).status).toBe(200);
    expect(server.received[0]?.message.equals(body)).toBe(true);
  });

  it('and JSON, which gRPC cannot carry, is refused with a sentence before anyone counts on it', async () => {
    const server = await upstream();
    const forwarder = await open(server.url);
    const json = otlpRequest({ contentType: 'application/json', body: Buffer.from('{}') });
    for (const answer of [await forwarder.forward(json), await forwarder.forwardSync(json)]) {
      expect(answer?.status).toBe(415);
      expect(Buffer.from(answer?.body ?? '').toString()).toContain('takes no JSON');
    }
    expect(server.received).toEqual([]);
    expect(forwarder.stats).toMatchObject({ received: 2, refused: 2 });
  });

  it('but one that cannot be inflated is dropped', async () => {
    const drops: ForwardDrop[] = [];
    const forwarder = await open((await upstream()).url, {}, drops);
    void forwarder.forward(otlpRequest({ contentEncoding: 'gzip', body: Buffer.from('no gzip') }));
    await until(() => drops.length === 1);
    expect(drops[0]).toMatchObject({ reason: 'rejected', cause: 'no gRPC message' });
  });
});

describe('metadata', () => {
  it('goes on, with what is configured, and without what gRPC cannot carry', async () => {
    const server = await upstream();
    const forwarder = await open(server.url, { headers: { 'X-Api-Key': 'ours' } });
    const headers = {
      'content-type': 'application/grpc',
      'user-agent': 'theirs',
      te: 'trailers',
      'grpc-timeout': '1S',
      authorization: 'Bearer for-the-upstream',
      'x-api-key': 'theirs',
      'x-many': ['1', '2'],
      'x-raw-bin': Buffer.from([1, 255]).toString('base64'),
      'x-umlaut': 'ü', // no metadata may hold it
    };
    expect((await forwarder.forwardSync(grpcRequest({ headers }))).status).toBe(200);
    const got = server.received[0]?.metadata;
    expect(got?.get('authorization')).toEqual(['Bearer for-the-upstream']);
    expect(got?.get('x-api-key')).toEqual(['ours']);
    expect(got?.get('x-many').join(', ')).toBe('1, 2');
    expect(got?.get('x-raw-bin')).toEqual([Buffer.from([1, 255])]);
    expect(got?.get('x-umlaut')).toEqual([]);
  });

  it('that the library makes comes from it alone', async () => {
    const server = await http2Upstream(succeed);
    const forwarder = await open(server.url);
    const headers = { 'content-type': 'application/grpc+proto', 'user-agent': 'theirs', te: 'trailers' };
    expect((await forwarder.forwardSync(grpcRequest({ headers }))).status).toBe(200);
    expect(server.calls[0]?.headers).toMatchObject({
      'content-type': 'application/grpc',
      'user-agent': expect.stringMatching(/^grpc-node-js\/[0-9.]+$/),
      te: 'trailers',
    });
  });
});

describe('what is tried again', () => {
  it.each(['CANCELLED', 'DEADLINE_EXCEEDED', 'ABORTED', 'OUT_OF_RANGE', 'UNAVAILABLE', 'DATA_LOSS'] as const)(
    '%s',
    async (code) => {
      const server = await upstream((_, answer, count) =>
        count < 3 ? answer(failure(codes[code])) : answer(null, Buffer.alloc(0)),
      );
      const forwarder = await open(server.url);
      void forwarder.forward(grpcRequest());
      await until(() => forwarder.stats.sent === 1);
      expect(server.received).toHaveLength(3);
    },
  );

  it.each([
    'UNKNOWN',
    'INVALID_ARGUMENT',
    'NOT_FOUND',
    'ALREADY_EXISTS',
    'PERMISSION_DENIED',
    'RESOURCE_EXHAUSTED',
    'FAILED_PRECONDITION',
    'UNIMPLEMENTED',
    'INTERNAL',
    'UNAUTHENTICATED',
  ] as const)('not %s: it is final', async (code) => {
    const server = await upstream((_, answer) => answer(failure(codes[code])));
    const drops: ForwardDrop[] = [];
    const forwarder = await open(server.url, {}, drops);
    void forwarder.forward(grpcRequest());
    await until(() => drops.length === 1);
    expect(drops[0]).toMatchObject({ reason: 'rejected', cause: `gRPC ${code}` });
    expect(server.received).toHaveLength(1);
  });

  it('RESOURCE_EXHAUSTED with RetryInfo, when it says', async () => {
    const times: number[] = [];
    const server = await upstream((_, answer, count) => {
      times.push(performance.now());
      if (count > 1) answer(null, Buffer.alloc(0));
      else answer(failure(codes.RESOURCE_EXHAUSTED, 'busy', retryInfo(1)));
    });
    const forwarder = await open(server.url);
    void forwarder.forward(grpcRequest());
    await until(() => forwarder.stats.sent === 1);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(950);
  });

  it('all that an upstream missed while it was away', async () => {
    const first = await startGrpcUpstream();
    first.close();
    const forwarder = await open(`127.0.0.1:${first.port}`, { tls: { insecure: true } });
    for (let i = 0; i < 100; i++) void forwarder.forward(grpcRequest({ body: Buffer.from([i]) }));
    await until(() => forwarder.stats.retries > 10);
    const second = await upstream(undefined, first.port);
    await until(() => forwarder.stats.sent === 100);
    expect(new Set(second.received.map((call) => call.message[0])).size).toBe(100);
  });
});

describe('RetryInfo', () => {
  it('is read from a Status, and whatever else its bytes are harms nothing', () => {
    expect(retryInfoSeconds(retryInfo(12))).toBe(12);
    expect(retryInfoSeconds(encodeStatus(new Refusal(500, 13, 'no details'), 'protobuf'))).toBeUndefined();
    // RetryInfo { retry_delay { nanos: 1 } }
    const any = Buffer.from('\n\x28type.googleapis.com/google.rpc.RetryInfo\x12\x04\n\x02\x10\x01', 'latin1');
    expect(retryInfoSeconds(Buffer.concat([Buffer.from([0x1a, any.length]), any]))).toBe(1);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const seconds = retryInfoSeconds(bytes);
        expect(seconds === undefined || seconds >= 0).toBe(true);
      }),
    );
  });
});

describe('a sender that waits for the upstream gets', () => {
  it('its message as it is', async () => {
    const partial = Buffer.from([0x0a, 0x02, 0x08, 0x03]);
    const forwarder = await open((await upstream((_, answer) => answer(null, partial))).url);
    const answer = await forwarder.forwardSync(grpcRequest());
    expect(answer.status).toBe(200);
    expect(Buffer.from(answer.body)).toEqual(partial);
  });

  it.each([
    ['INVALID_ARGUMENT', 400],
    ['UNAUTHENTICATED', 401],
    ['PERMISSION_DENIED', 403],
    ['FAILED_PRECONDITION', 400],
    ['NOT_FOUND', 404],
    ['UNIMPLEMENTED', 404],
    ['RESOURCE_EXHAUSTED', 413],
    ['INTERNAL', 500],
    ['UNAVAILABLE', 503],
    ['DEADLINE_EXCEEDED', 504],
  ] as const)('%s as a Status with its code and text, and as %d', async (code, status) => {
    const forwarder = await open((await upstream((_, answer) => answer(failure(codes[code])))).url);
    const answer = await forwarder.forwardSync(grpcRequest());
    expect(answer.status).toBe(status);
    expect(readStatus(answer.body)).toEqual({ code: codes[code], message: 'as the upstream says' });
    expect(answer.grpcStatus).toEqual({
      code: codes[code],
      message: 'as the upstream says',
      details: undefined,
    });
  });

  it("the upstream's own Status with all its details", async () => {
    const own = retryInfo(7);
    const server = await upstream((_, answer) => answer(failure(codes.RESOURCE_EXHAUSTED, 'later', own)));
    const answer = await (await open(server.url)).forwardSync(grpcRequest());
    expect(answer).toMatchObject({ status: 429, retryAfterSeconds: 7 });
    expect(Buffer.from(answer.body)).toEqual(own);
    expect(answer.grpcStatus).toEqual({ code: codes.RESOURCE_EXHAUSTED, message: 'later', details: own });
  });
});

/** An upstream below gRPC: HTTP/2 alone, which counts connections. */
async function http2Upstream(answer: (stream: ServerHttp2Stream, count: number) => void) {
  const calls: { readonly headers: IncomingHttpHeaders; readonly body: Buffer }[] = [];
  const server = createHttp2Server();
  const upstream = { url: '', connections: 0, calls };
  server.on('session', (session) => {
    upstream.connections++;
    session.on('error', () => {});
    closers.push(() => session.destroy());
  });
  server.on('stream', async (stream, headers) => {
    stream.on('error', () => {});
    const chunks: Buffer[] = [];
    for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
    calls.push({ headers, body: Buffer.concat(chunks) });
    answer(stream, calls.length);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => server.close());
  upstream.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return upstream;
}

const HEAD = { ':status': 200, 'content-type': 'application/grpc' };

function succeed(stream: ServerHttp2Stream): void {
  stream.respond(HEAD, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(Buffer.alloc(5));
}

function refuse(stream: ServerHttp2Stream): void {
  stream.respond({ ...HEAD, 'grpc-status': codes.INVALID_ARGUMENT }, { endStream: true });
}

describe('on the wire', () => {
  it.each([
    ['gzip', 1, 'gzip'],
    ['none', 0, undefined],
  ] as const)('a message is compressed as compression: %s says', async (compression, flag, encoding) => {
    const server = await http2Upstream(succeed);
    const forwarder = await open(server.url, { compression });
    expect((await forwarder.forwardSync(grpcRequest())).status).toBe(200);
    const [{ body, headers } = { body: Buffer.alloc(1), headers: {} }] = server.calls;
    expect([body[0], headers['grpc-encoding'] ?? 'identity']).toEqual([flag, encoding ?? 'identity']);
    expect((flag ? gunzipSync(body.subarray(5)) : body.subarray(5)).equals(message)).toBe(true);
  });

  it('no proxy of the environment stands between, as over HTTP none does', async () => {
    vi.stubEnv('grpc_proxy', 'http://127.0.0.1:9');
    onTestFinished(() => void vi.unstubAllEnvs());
    const forwarder = await open((await upstream()).url, { timeoutMillis: 2_000 });
    expect((await forwarder.forwardSync(grpcRequest())).status).toBe(200);
  });
});

describe('a connection', () => {
  it('that took calls, and then answers none for a while, is made anew', async () => {
    let isMute = false;
    const server = await http2Upstream((stream) => {
      if (!isMute) succeed(stream);
    });
    const forwarder = await open(server.url, { timeoutMillis: 100 });
    while ((await forwarder.forwardSync(grpcRequest())).status !== 200); // on a busy machine not at once
    isMute = true;
    for (let i = 0; i < 5; i++) expect((await forwarder.forwardSync(grpcRequest())).status).toBe(504);
    expect(server.connections).toBe(1);
    await forwarder.forwardSync(grpcRequest());
    expect(server.connections).toBe(2);
  });

  it.each([
    ['taken', succeed],
    ['refused', refuse],
  ])('on which every other call is %s stays', async (_, answer) => {
    const server = await http2Upstream((stream, count) => {
      if (count % 2 === 0) answer(stream);
    });
    const forwarder = await open(server.url, { timeoutMillis: 40 });
    for (let i = 0; i < 13; i++) await forwarder.forwardSync(grpcRequest());
    expect(server.connections).toBe(1);
  });
});

describe('an upstream in trouble', () => {
  it('that is slow is given up after the timeout', async () => {
    let isSlow = true;
    const server = await upstream((_, answer) => {
      if (!isSlow) answer(null, Buffer.alloc(0));
    });
    const forwarder = await open(server.url, { timeoutMillis: 100 });
    expect(await forwarder.forwardSync(grpcRequest())).toMatchObject({
      status: 504,
      grpcStatus: { code: codes.DEADLINE_EXCEEDED },
    });
    void forwarder.forward(grpcRequest());
    await until(() => forwarder.stats.retries > 1);
    isSlow = false;
    await until(() => forwarder.stats.sent === 1);
  });

  it('whose connection is dead without a word gets a new one', async () => {
    const sockets: Socket[] = [];
    const mute = createServer((socket) => {
      socket.on('error', () => {});
      sockets.push(socket);
    });
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    closers.push(() => {
      for (const socket of sockets) socket.destroy();
      mute.close();
    });
    const address = mute.address();
    const port = typeof address === 'string' ? 0 : (address?.port ?? 0);
    const forwarder = await open(`http://127.0.0.1:${port}`, { timeoutMillis: 50 });
    for (let i = 0; i < 10; i++) {
      void forwarder.forward(grpcRequest());
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await until(() => sockets.length > 2);
    expect(forwarder.stats).toMatchObject({ queuedRequests: 10, dropped: { retry_expired: 0 } });
  });

  it('that answers more than 4 MiB is cut off', async () => {
    const server = await upstream((_, answer) => answer(null, Buffer.alloc(5 * 1_048_576)));
    const drops: ForwardDrop[] = [];
    const forwarder = await open(server.url, {}, drops);
    void forwarder.forward(grpcRequest());
    await until(() => drops.length === 1);
    expect(drops[0]).toMatchObject({ reason: 'rejected', cause: 'gRPC RESOURCE_EXHAUSTED' });
  });

  it('that speaks no gRPC is tried again', async () => {
    const server = await startHttpUpstream();
    closers.push(() => server.close());
    const forwarder = await open(server.url);
    void forwarder.forward(grpcRequest());
    await until(() => forwarder.stats.retries > 1);
  });

  it('does not hold up closing', async () => {
    const server = await upstream(() => {});
    const drops: ForwardDrop[] = [];
    const forwarder = await open(server.url, {}, drops);
    void forwarder.forward(grpcRequest());
    const waiting = forwarder.forwardSync(grpcRequest());
    await until(() => server.received.length === 2);
    await forwarder.close();
    expect((await waiting).status).toBe(503);
    expect(drops.map(({ reason }) => reason)).toEqual(['shutdown', 'shutdown']);
    expect(forwarder.stats).toMatchObject({ received: 2, refused: 0, queuedRequests: 0 });
  });
});

describe('the endpoint', () => {
  it.each(['http://h:4317/v1', 'unix:///tmp/x', ''])('%j is refused with a sentence', async (endpoint) => {
    await expect(Forwarder.open({ endpoint, protocol: 'grpc' })).rejects.toThrow(/expected HOST:PORT/);
  });
});
