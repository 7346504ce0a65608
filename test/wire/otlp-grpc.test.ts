import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';
import { gzipSync } from 'node:zlib';
import { status as codes, type ServiceError } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { OtlpGrpcReceiver } from '../../src/source/receiver/otlp-grpc.ts';
import type { BoundAddress, ReceiverOptions } from '../../src/source/receiver/receiver-options.ts';
import { requestOf, spanJson } from '../source/otlp-request.ts';
import { encodeOtlp } from '../support/otlp-encode.ts';
import { call, EXPORT, GZIP, grpcClient } from './grpc-client.ts';
import { LIMIT, receiving } from './receiving.ts';
import { readRpcStatus } from './rpc-status.ts';

const SECRET = 'my prompt';
const BODY = Buffer.from(encodeOtlp(requestOf([spanJson({ name: 'execute_tool search' })])));

const receive = (options: Partial<ReceiverOptions> = {}) => receiving(OtlpGrpcReceiver, options);

const CALL = { ':method': 'POST', ':path': EXPORT, 'content-type': 'application/grpc' };

/** Of a sender that writes its frames itself. */
async function sessionTo({ host, port }: BoundAddress): Promise<ClientHttp2Session> {
  const session = connect(`http://${host}:${port}`);
  onTestFinished(() => session.destroy());
  await once(session, 'connect');
  return session;
}

describe('a good call', () => {
  it.each([
    ['uncompressed', {}],
    ['gzip', GZIP],
  ])('%s, is answered OK with no partial success', async (_, options) => {
    const { sink, address } = await receive();
    const { value, error } = await call(grpcClient(address, options), BODY);
    expect(error).toBeUndefined();
    expect(value).toEqual(Buffer.alloc(0));
    expect(sink.spans).toEqual(['execute_tool search']);
    expect(sink.held).toBe(0);
  });

  it('is passed on as the message alone, uncompressed, with its own metadata', async () => {
    const { sink, address } = await receive();
    await call(grpcClient(address, GZIP), BODY, { metadata: { 'x-team': 'a', authorization: 'Bearer up' } });
    expect(sink.requests[0]).toMatchObject({
      signal: 'traces',
      transport: 'grpc',
      contentType: 'application/x-protobuf',
      contentEncoding: undefined,
      body: BODY,
      tenant: undefined,
    });
    const { 'user-agent': agent, 'accept-encoding': _, ...headers } = sink.requests[0]?.headers ?? {};
    expect(headers).toEqual({ 'x-team': 'a', authorization: 'Bearer up' });
    expect(agent).toMatch(/^grpc-node/);
  });

  it.each([
    ['metrics', 'opentelemetry.proto.collector.metrics.v1.MetricsService'],
    ['logs', 'opentelemetry.proto.collector.logs.v1.LogsService'],
  ])('for %s is taken as it is', async (signal, service) => {
    const { sink, address } = await receive();
    const { error } = await call(grpcClient(address), Buffer.from([0x0a, 0]), { path: `/${service}/Export` });
    expect(error).toBeUndefined();
    expect(sink.requests[0]?.signal).toBe(signal);
    expect(sink.batches).toEqual([undefined]);
  });

  it('may be one of many at once on one connection', async () => {
    const { sink, address } = await receive();
    const client = grpcClient(address);
    const answers = await Promise.all(Array.from({ length: 250 }, () => call(client, BODY)));
    expect(answers.filter(({ error }) => error)).toEqual([]);
    expect(sink.spans).toHaveLength(250);
    expect(sink.held).toBe(0);
  });

  it('may be empty, and as large as the limit', async () => {
    const { address } = await receive();
    const client = grpcClient(address);
    expect((await call(client, Buffer.alloc(0))).error).toBeUndefined();
    // An unknown field of bytes.
    const large = Buffer.concat([Buffer.from([0x7a, 0x9c, 0x8d, 0x06]), Buffer.alloc(LIMIT - 4)]);
    expect((await call(client, large)).error).toBeUndefined();
  });

  it('tells how many of its spans were bad', async () => {
    const { sink, address } = await receive();
    const spans = [spanJson({ name: 'good' }), spanJson({ spanId: '00' })];
    const { value } = await call(grpcClient(address), Buffer.from(encodeOtlp(requestOf(spans))));
    expect(value?.toString()).toContain('1 span rejected: the span id is not 8 bytes (1)');
    expect(sink.spans).toEqual(['good']);
  });
});

describe('a call that cannot be taken', () => {
  const status = (error: ServiceError | undefined) => {
    const [details] = error?.metadata.get('grpc-status-details-bin') ?? [];
    return details === undefined ? undefined : readRpcStatus(details as Buffer, 'application/x-protobuf');
  };

  it('because of its body: INVALID_ARGUMENT', async () => {
    const { address } = await receive();
    const { error } = await call(grpcClient(address), Buffer.from(`{"${SECRET}`));
    expect(error?.code).toBe(codes.INVALID_ARGUMENT);
    expect(status(error)).toMatchObject({ code: 3, details: { BadRequest: {} } });
    expect(JSON.stringify(error)).not.toContain(SECRET);
  });

  it.each([
    ['as it comes', {}, Buffer.alloc(LIMIT + 1)],
    ['once inflated', GZIP, Buffer.alloc(LIMIT * 20)],
  ])('because of its size %s: RESOURCE_EXHAUSTED, not to be tried again', async (_, options, body) => {
    const { sink, address } = await receive();
    const { error } = await call(grpcClient(address, options), body);
    expect(error?.code).toBe(codes.RESOURCE_EXHAUSTED);
    expect(status(error)).toBeUndefined();
    expect(sink.held).toBe(0);
  });

  it('because of overload: UNAVAILABLE, to be tried again in 1 to 3 seconds', async () => {
    const { sink, address } = await receive();
    sink.room = 10;
    const client = grpcClient(address);
    const { error } = await call(client, BODY);
    expect(error?.code).toBe(codes.UNAVAILABLE);
    expect(status(error)).toMatchObject({
      code: 14,
      details: { RetryInfo: { retryDelay: expect.stringMatching(/^[123]s$/) } },
    });
    sink.room = LIMIT;
    expect((await call(client, BODY)).error).toBeUndefined();
  });

  it('because of its method: UNIMPLEMENTED', async () => {
    const { address } = await receive();
    const { error } = await call(grpcClient(address), BODY, { path: `/Service/${SECRET.replace(' ', '')}` });
    expect(error?.code).toBe(codes.UNIMPLEMENTED);
    expect(error?.message).not.toMatch(/myprompt/);
  });

  it('without a known token: UNAUTHENTICATED, before anything else', async () => {
    const auth = { tokens: [{ token: 'open-sesame', tenant: 'a' }] };
    const { sink, address } = await receive({ auth });
    const client = grpcClient(address);
    for (const metadata of [{}, { authorization: 'Bearer x' }, { authorization: 'open-sesame' }]) {
      const { error } = await call(client, BODY, { metadata, path: '/unknown' });
      expect(error?.code).toBe(codes.UNAUTHENTICATED);
    }
    await call(client, BODY, { metadata: { authorization: 'Bearer open-sesame' } });
    expect(sink.requests).toMatchObject([{ tenant: 'a' }]);
    expect(JSON.stringify(sink.requests[0]?.headers)).not.toContain('sesame');
  });
});

describe('the answer of an upstream', () => {
  it.each([
    [{ status: 200, retryAfterSeconds: undefined, body: Buffer.from([0x0a, 0]) }, undefined],
    [{ status: 400, retryAfterSeconds: undefined, body: Buffer.from([8, 3, 18, 3, 97, 37, 195]) }, 3],
    [{ status: 503, retryAfterSeconds: 2, body: Buffer.from('<html>') }, 14],
    [{ status: 429, retryAfterSeconds: undefined, body: Buffer.from([8, 8]) }, 14],
    [{ status: 413, retryAfterSeconds: undefined, body: Buffer.alloc(0) }, 8],
    [{ status: 400, retryAfterSeconds: undefined, body: Buffer.alloc(0) }, 3],
    [{ status: 401, retryAfterSeconds: undefined, body: Buffer.alloc(0) }, 16],
    [{ status: 403, retryAfterSeconds: undefined, body: Buffer.alloc(0) }, 7],
    [{ status: 404, retryAfterSeconds: undefined, body: Buffer.alloc(0) }, 12],
    [{ status: 400, retryAfterSeconds: undefined, body: Buffer.from([8, 0]) }, 3],
    [{ status: 401, retryAfterSeconds: undefined, body: Buffer.from([8, 17]) }, 16],
    [{ status: 302, retryAfterSeconds: undefined, body: Buffer.alloc(0) }, 2],
    [{ status: 418, retryAfterSeconds: undefined, body: Buffer.alloc(0) }, 2],
  ])('%j is the answer here', async (upstream, code) => {
    const { sink, address } = await receive();
    sink.upstream = async () => upstream;
    const { value, error } = await call(grpcClient(address), BODY);
    expect(error?.code).toBe(code);
    if (code === undefined) expect(value).toEqual(upstream.body);
  });

  it('says when to come again, where the upstream did', async () => {
    const { sink, address } = await receive();
    sink.upstream = async () => ({ status: 503, retryAfterSeconds: 2, body: Buffer.from('<html>') });
    const { error } = await call(grpcClient(address), BODY);
    const [details] = error?.metadata.get('grpc-status-details-bin') ?? [];
    expect(readRpcStatus(details as Buffer, 'application/x-protobuf')).toMatchObject({
      details: { RetryInfo: { retryDelay: '2s' } },
    });
  });

  it('keeps the characters of its message, whatever a header field may hold', async () => {
    const { sink, address } = await receive();
    const message = Buffer.from('100 % ü\n');
    const body = Buffer.concat([Buffer.from([8, 3, 18, message.length]), message]);
    sink.upstream = async () => ({ status: 400, retryAfterSeconds: undefined, body });
    expect((await call(grpcClient(address), BODY)).error?.details).toBe('100 % ü\n');
  });
});

describe('what no gRPC library sends', () => {
  async function send(
    session: ClientHttp2Session,
    parts: readonly Uint8Array[],
    headers: Record<string, string> = {},
  ): Promise<Record<string, unknown>> {
    const stream = session.request({ ...CALL, te: 'trailers', ...headers });
    let answer: Record<string, unknown> = {};
    stream.on('response', (fields) => {
      answer = { ...answer, ...fields };
    });
    stream.on('trailers', (fields) => {
      answer = { ...answer, ...fields };
    });
    stream.on('error', () => {});
    stream.resume();
    for (const part of parts) if (!stream.destroyed) stream.write(part);
    stream.end();
    if (!stream.closed) await once(stream, 'close');
    return answer;
  }

  const framed = (body: Uint8Array, flag = 0) => {
    const prefix = Buffer.from([flag, 0, 0, 0, 0]);
    prefix.writeUInt32BE(body.length, 1);
    return Buffer.concat([prefix, body]);
  };

  it('a message byte by byte is taken', async () => {
    const { sink, address } = await receive();
    const parts = Array.from(framed(BODY), (byte) => Buffer.from([byte]));
    expect(await send(await sessionTo(address), parts)).toMatchObject({
      ':status': 200,
      'content-type': 'application/grpc',
      'grpc-status': '0',
    });
    expect(sink.spans).toHaveLength(1);
  });

  it('a message that is not compressed is taken in a call that names a compression', async () => {
    const { sink, address } = await receive();
    const answer = await send(await sessionTo(address), [framed(BODY)], { 'grpc-encoding': 'gzip' });
    expect(answer['grpc-status']).toBe('0');
    expect(sink.spans).toEqual(['execute_tool search']);
  });

  it.each(['application/grpc+proto', 'application/grpc;charset=utf-8', 'Application/gRPC'])(
    'the content type %s is one of gRPC',
    async (type) => {
      const { address } = await receive();
      const answer = await send(await sessionTo(address), [framed(BODY)], { 'content-type': type });
      expect(answer['grpc-status']).toBe('0');
    },
  );

  it.each<[string, readonly Uint8Array[], Record<string, string>, string]>([
    ['no message', [], {}, '12'],
    ['two messages', [framed(BODY), framed(BODY)], {}, '12'],
    ['half a prefix', [Buffer.from([0, 0])], {}, '13'],
    ['half a message', [framed(BODY).subarray(0, -1)], {}, '13'],
    ['an unknown flag', [framed(BODY, 7)], {}, '13'],
    ['compressed by what is not told', [framed(gzipSync(BODY), 1)], {}, '13'],
    ['compressed by nothing', [framed(gzipSync(BODY), 1)], { 'grpc-encoding': 'identity' }, '13'],
    ['compressed by what is not known', [framed(BODY, 1)], { 'grpc-encoding': 'snappy' }, '12'],
    ['no gzip', [framed(BODY, 1)], { 'grpc-encoding': 'gzip' }, '13'],
    ['half a gzip', [framed(gzipSync(BODY).subarray(0, -9), 1)], { 'grpc-encoding': 'gzip' }, '13'],
    ['no protobuf', [framed(Buffer.from('{"a":1}'))], {}, '3'],
    ['a length of 4 GiB', [Buffer.from([0, 255, 255, 255, 255])], {}, '8'],
  ])('%s: code %4$s', async (_, parts, headers, code) => {
    const { sink, address } = await receive();
    const session = await sessionTo(address);
    const answer = await send(session, parts, headers);
    expect(answer['grpc-status']).toBe(code);
    // What could be told beside the code belongs to requests that could be read.
    expect('grpc-status-details-bin' in answer).toBe(code === '3');
    expect(sink.requests).toEqual([]);
    expect(sink.held).toBe(0);
    expect((await send(session, [framed(BODY)]))['grpc-status']).toBe('0');
  });

  it.each<[Record<string, string>, Record<string, unknown>]>([
    [{ 'content-type': 'application/json' }, { ':status': 415, accept: 'application/grpc' }],
    [{ 'content-type': 'application/grpc+json' }, { ':status': 415, accept: 'application/grpc' }],
    [{ ':method': 'PUT' }, { ':status': 405, allow: 'POST' }],
    [
      { ':method': 'OPTIONS', 'content-type': 'text/plain' },
      { ':status': 405, allow: 'POST' },
    ],
  ])('plain HTTP/2 (%j) is answered %j with a Status', async (headers, expected) => {
    const { address } = await receive();
    const answer = await send(await sessionTo(address), [Buffer.from('{}')], headers);
    expect(answer).toMatchObject({ ...expected, 'content-type': 'application/json' });
  });

  it('is told what is wrong, without what was sent', async () => {
    const { address } = await receive();
    const session = await sessionTo(address);
    const two = await send(session, [framed(BODY), framed(BODY)]);
    expect(two['grpc-message']).toBe('expected one message');
    const torn = await send(session, [framed(Buffer.from(`\x0a\x7f${SECRET}`))]);
    expect(torn['grpc-message']).toBe('a field is longer than the message that holds it (byte 1)');
  });

  it('a message that does not end is answered in time', async () => {
    const { sink, address } = await receive({ bodyTimeoutMillis: 200 });
    const session = await sessionTo(address);
    const stream = session.request(CALL);
    stream.write(framed(BODY).subarray(0, 20));
    const [headers] = await once(stream, 'response');
    expect(headers['grpc-status']).toBe('4');
    expect(sink.held).toBe(0);
  });

  it('each answer is heard of, for metrics, and what was not answered is not', async () => {
    const answers: unknown[] = [];
    const { sink, address } = await receive({ onAnswer: (answer) => answers.push(answer) });
    const session = await sessionTo(address);
    await send(session, [framed(BODY)]);
    await send(session, [Buffer.from([0, 0])]);
    await send(session, [framed(BODY)], { ':path': '/unknown' });
    const head = { ':method': 'POST', ':path': EXPORT, 'content-type': 'application/grpc' };
    const stream = session.request(head);
    stream.on('error', () => {});
    stream.write(framed(BODY).subarray(0, 20));
    await expect.poll(() => sink.held).toBeGreaterThan(0);
    session.destroy();
    await expect.poll(() => sink.held).toBe(0);
    await new Promise((done) => setTimeout(done, 50));
    expect(answers).toEqual([
      { transport: 'grpc', signal: 'traces', status: 0 },
      { transport: 'grpc', signal: 'traces', status: 13 },
      { transport: 'grpc', signal: undefined, status: 12 },
    ]);
  });

  it('a sender that goes away leaves nothing behind', async () => {
    const { sink, address, receiver } = await receive();
    const session = await sessionTo(address);
    const stream = session.request(CALL);
    stream.on('error', () => {});
    stream.write(framed(BODY).subarray(0, 20));
    await expect.poll(() => sink.held).toBeGreaterThan(0);
    session.destroy();
    await expect.poll(() => sink.held).toBe(0);
    await receiver.close(5_000);
  });

  it.each(['', 'GET / HTTP/1.1\r\n\r\n', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '\x16\x03\x01\x02\x00'])(
    'a connection that begins with %j ends in time, and harms nobody',
    async (hello) => {
      const { address } = await receive({ headersTimeoutMillis: 200 });
      const { RawConnection } = await import('./http-client.ts');
      const connection = await RawConnection.open(address);
      connection.write(hello);
      await connection.untilEnd();
      connection.close();
      expect((await call(grpcClient(address), BODY)).error).toBeUndefined();
    },
  );

  it('an idle connection is closed, and the next call makes another', async () => {
    const { address } = await receive({ idleTimeoutMillis: 100 });
    const session = await sessionTo(address);
    await once(session, 'close');
    const client = grpcClient(address);
    expect((await call(client, BODY)).error).toBeUndefined();
    await new Promise((done) => setTimeout(done, 250));
    expect((await call(client, BODY)).error).toBeUndefined();
  });

  it('a connection that has begun is not bound by the time for its beginning', async () => {
    const { address } = await receive({ headersTimeoutMillis: 100 });
    const session = await sessionTo(address);
    await new Promise((done) => setTimeout(done, 300));
    expect((await send(session, [framed(BODY)]))['grpc-status']).toBe('0');
  });

  it('a connection is not idle while a call waits for its answer, and is after that', async () => {
    const { sink, address } = await receive({ idleTimeoutMillis: 100 });
    const answer = { status: 200, retryAfterSeconds: undefined, body: Buffer.alloc(0) };
    sink.upstream = () => new Promise((resolve) => setTimeout(() => resolve(answer), 1_400));
    const session = await sessionTo(address);
    const closed = once(session, 'close');
    expect((await send(session, [framed(BODY)]))['grpc-status']).toBe('0');
    await closed;
  });

  it('who goes on sending after the answer is heard for a while, and then no more', async () => {
    const { address } = await receive();
    const session = await sessionTo(address);
    const began = performance.now();
    const head = { ':method': 'POST', ':path': '/unknown', 'content-type': 'application/grpc' };
    const stream = session.request(head);
    stream.on('error', () => {});
    const closed = once(stream, 'close');
    stream.resume();
    stream.write(Buffer.alloc(4 * 2 ** 20));
    await closed;
    expect(performance.now() - began).toBeLessThan(2_500);
  });

  it('connections beyond the bound are told to come again', async () => {
    const { address } = await receive({ maxConnections: 1 });
    const session = await sessionTo(address);
    expect((await send(session, [framed(BODY)]))['grpc-status']).toBe('0');
    const excess = await sessionTo(address);
    const closed = once(excess, 'close');
    expect((await send(excess, [framed(BODY)]))['grpc-status']).toBe('14');
    await closed;
    expect((await send(session, [framed(BODY)]))['grpc-status']).toBe('0');
  });
});

describe('closing', () => {
  it('finishes what is in flight, and takes nothing new', async () => {
    const { sink, address, receiver } = await receive();
    const isAsked = sink.whenUpstreamIsAsked();
    const sent = call(grpcClient(address), BODY);
    const answer = await isAsked;
    const closed = receiver.close(5_000);
    expect((await call(grpcClient(address, { 'grpc.enable_retries': 0 }), BODY)).error?.code).toBe(14);
    answer(Buffer.alloc(0));
    expect((await sent).error).toBeUndefined();
    await closed;
  });

  it('takes no longer than it may', async () => {
    const { sink, address, receiver } = await receive();
    const isAsked = sink.whenUpstreamIsAsked();
    const sent = call(grpcClient(address), BODY);
    await isAsked;
    const start = performance.now();
    await receiver.close(100);
    expect(performance.now() - start).toBeLessThan(1_000);
    expect((await sent).error).toBeDefined();
  });

  it('tells whose call is still coming in to come again elsewhere', async () => {
    const { sink, address, receiver } = await receive();
    const stream = (await sessionTo(address)).request(CALL);
    stream.write(Buffer.from([0, 0, 0, 1, 0, 1]));
    await expect.poll(() => sink.held).toBeGreaterThan(0);
    const answered = once(stream, 'response');
    const closed = receiver.close(1_000);
    const [headers] = await answered;
    expect(headers['grpc-status']).toBe('14');
    const details = Buffer.from(String(headers['grpc-status-details-bin']), 'base64');
    expect(readRpcStatus(details, 'application/x-protobuf')).toMatchObject({
      details: { RetryInfo: { retryDelay: expect.stringMatching(/^[123]s$/) } },
    });
    await closed;
    await expect.poll(() => sink.held).toBe(0);
  });

  it('names a port that is taken', async () => {
    const { address } = await receive();
    await expect(receive({ port: address.port })).rejects.toThrow('(EADDRINUSE): another process has taken');
  });
});
