import * as zlib from 'node:zlib';
import { PbfReader } from 'pbf';
import { describe, expect, it } from 'vitest';
import { OtlpHttpReceiver, type OtlpHttpReceiverOptions } from '../../src/source/receiver/otlp-http.ts';
import { requestOf, spanJson } from '../source/otlp-request.ts';
import { encodeOtlp } from '../support/otlp-encode.ts';
import { JSON_TYPE, PROTOBUF_TYPE, post } from './http-client.ts';
import { LIMIT, receiving } from './receiving.ts';
import { RecordingSink } from './recording-sink.ts';
import { readRpcStatus } from './rpc-status.ts';

const SECRET = 'my prompt';
const REQUEST = requestOf([
  spanJson({ name: 'execute_tool search', attributes: [{ key: 'prompt', value: { stringValue: SECRET } }] }),
]);
const BAD_SPAN = spanJson({ name: SECRET, traceId: '0'.repeat(32) });
const ENCODED = { json: JSON.stringify(REQUEST), protobuf: encodeOtlp(REQUEST) };
const TYPES = { json: JSON_TYPE, protobuf: PROTOBUF_TYPE };

const NOT_UTF8 = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]);
const MALFORMED_URIS = [
  '/v1/%zz',
  '/v1/traces%',
  '/v1/traces%ff',
  '/v1/traces?x=1%zz',
  '/v1/traces?x=[1]',
  '/v1/traces#x',
  'http://[/v1/traces',
  'http://a:99999/v1/traces',
  'http:///v1/traces',
  'ftp://a/v1/traces',
];

const zstd = (zlib as { zstdCompressSync?: (data: Uint8Array) => Buffer }).zstdCompressSync;

const receive = (options: Partial<OtlpHttpReceiverOptions> = {}) => receiving(OtlpHttpReceiver, options);

describe('a good request', () => {
  const compressions: [string, (data: Uint8Array) => Uint8Array][] = [
    ['identity', (data) => data],
    ['gzip', zlib.gzipSync],
    ['x-gzip', zlib.gzipSync],
    ['GZIP', zlib.gzipSync],
    ['deflate', zlib.deflateSync],
    ...(zstd ? [['zstd', zstd] as [string, (data: Uint8Array) => Uint8Array]] : []),
  ];

  for (const encoding of ['json', 'protobuf'] as const) {
    for (const [name, compress] of compressions) {
      it(`in ${encoding}, ${name}, is answered 200 in the same type with no partial success`, async () => {
        const { sink, address } = await receive();
        const body = compress(Buffer.from(ENCODED[encoding]));
        const headers = { ...TYPES[encoding], 'content-encoding': name };
        const answer = await post(address, { headers, body });
        expect(answer.status).toBe(200);
        expect(answer.headers['content-type']).toBe(TYPES[encoding]['content-type']);
        expect(answer.body.toString()).toBe(encoding === 'json' ? '{}' : '');
        expect(sink.spans).toEqual(['execute_tool search']);
        expect(Buffer.compare(sink.requests[0]?.body ?? Buffer.alloc(0), body)).toBe(0);
        expect(sink.held).toBe(0);
      });
    }

    it(`in ${encoding} may be sent in many small chunks, its length unknown`, async () => {
      const { sink, address } = await receive();
      const bytes = Buffer.from(ENCODED[encoding]);
      const body = Array.from(bytes, (byte) => Buffer.from([byte]));
      expect((await post(address, { headers: TYPES[encoding], body })).status).toBe(200);
      expect(sink.spans).toEqual(['execute_tool search']);
    });
  }

  it.each([
    ['application/json; charset=utf-8', ENCODED.json, 'application/json'],
    ['Application/JSON', ENCODED.json, 'application/json'],
    ['application/x-protobuf;messageType="x"', ENCODED.protobuf, 'application/x-protobuf'],
    ['application/protobuf', ENCODED.protobuf, 'application/protobuf'],
  ])('of type %s is answered with the bare type', async (type, body, bare) => {
    const { sink, address } = await receive();
    const answer = await post(address, { headers: { 'content-type': type }, body });
    expect([answer.status, answer.headers['content-type']]).toEqual([200, bare]);
    expect(sink.spans).toHaveLength(1);
  });

  it.each([
    ['{}', JSON_TYPE],
    ['', PROTOBUF_TYPE],
  ])('may be empty', async (body, headers) => {
    const { sink, address } = await receive();
    expect((await post(address, { headers, body })).status).toBe(200);
    expect(sink.batches).toEqual([{ spans: [], rejected: 0 }]);
  });

  it.each([
    '/',
    '/v1/traces',
    '/v1/traces?key=value&other=%ff/?',
    '/v1%2Ftraces',
    'http://collector:4318/v1/traces',
    'http://[::1]:4318/v1/traces?x',
    'http://collector',
  ])('for traces may be posted to %s', async (path) => {
    const { sink, address } = await receive();
    expect((await post(address, { path, headers: JSON_TYPE, body: ENCODED.json })).status).toBe(200);
    expect(sink.requests[0]?.signal).toBe('traces');
  });

  it.each(['metrics', 'logs'] as const)('for %s is taken as it is', async (signal) => {
    const { sink, address } = await receive();
    const body = zlib.gzipSync(Buffer.from([0x0a, 0x01, 0xff]));
    const headers = { ...PROTOBUF_TYPE, 'content-encoding': 'gzip' };
    const answer = await post(address, { path: `/v1/${signal}`, headers, body });
    expect([answer.status, answer.body.length]).toEqual([200, 0]);
    expect(sink.batches).toEqual([undefined]);
    expect(sink.requests[0]).toMatchObject({ signal, contentEncoding: 'gzip', transport: 'http', body });
  });

  it('goes on with its own header fields, but not those of the hop', async () => {
    const { sink, address } = await receive();
    const headers = {
      ...JSON_TYPE,
      authorization: 'Bearer for-the-upstream',
      'X-Scope-OrgID': 'team-a',
      connection: 'keep-alive, x-hop',
      'x-hop': '1',
      te: 'trailers',
      __proto__x: 'data',
    };
    await post(address, { headers, body: ENCODED.json });
    expect({ ...sink.requests[0]?.headers }).toEqual({
      'content-type': 'application/json',
      authorization: 'Bearer for-the-upstream',
      'x-scope-orgid': 'team-a',
      __proto__x: 'data',
    });
  });
});

describe('a batch with bad spans', () => {
  it('is kept but for them, and says how many there were', async () => {
    const { sink, address } = await receive();
    const request = requestOf([spanJson({ name: 'good' }), BAD_SPAN]);

    const asJson = await post(address, { headers: JSON_TYPE, body: JSON.stringify(request) });
    expect([asJson.status, JSON.parse(asJson.body.toString())]).toEqual([
      200,
      { partialSuccess: { rejectedSpans: '1', errorMessage: expect.stringContaining('trace id') } },
    ]);

    const asProtobuf = await post(address, { headers: PROTOBUF_TYPE, body: encodeOtlp(request) });
    const partial = new PbfReader(asProtobuf.body).readFields(
      (tag, result: { rejected: number; message: string }, pbf) => {
        if (tag !== 1) return;
        pbf.readMessage((field) => {
          if (field === 1) result.rejected = pbf.readVarint();
          if (field === 2) result.message = pbf.readString();
        }, undefined);
      },
      { rejected: 0, message: '' },
    );
    expect(partial).toEqual({ rejected: 1, message: expect.stringContaining('trace id') });

    expect(sink.spans).toEqual(['good', 'good']);
    expect(`${asJson.body}${asProtobuf.body}`).not.toContain(SECRET);
  });
});

describe('a request that cannot be taken', () => {
  const torn = Buffer.from(ENCODED.protobuf).subarray(0, -3);
  const cases: [string, number, number, Parameters<typeof post>[1]][] = [
    ['malformed JSON', 400, 3, { headers: JSON_TYPE, body: `{"resourceSpans": [${SECRET}` }],
    ['JSON that is no object', 400, 3, { headers: JSON_TYPE, body: '[]' }],
    ['JSON in no bytes at all', 400, 3, { headers: JSON_TYPE, body: '' }],
    ['a torn protobuf message', 400, 3, { headers: PROTOBUF_TYPE, body: torn }],
    ['JSON sent as protobuf', 400, 3, { headers: PROTOBUF_TYPE, body: ENCODED.json }],
    ['malformed metrics', 400, 3, { path: '/v1/metrics', headers: JSON_TYPE, body: '{' }],
    ['malformed logs', 400, 3, { path: '/v1/logs', headers: PROTOBUF_TYPE, body: torn }],
    ['what is not gzip', 400, 3, { headers: { ...JSON_TYPE, 'content-encoding': 'gzip' }, body: SECRET }],
    [
      'half a gzip',
      400,
      3,
      {
        headers: { ...JSON_TYPE, 'content-encoding': 'gzip' },
        body: zlib.gzipSync(ENCODED.json).subarray(0, -9),
      },
    ],
    ['JSON that is no UTF-8', 400, 3, { headers: JSON_TYPE, body: NOT_UTF8 }],
    ['metrics that are no UTF-8', 400, 3, { path: '/v1/metrics', headers: JSON_TYPE, body: NOT_UTF8 }],
    ...MALFORMED_URIS.map((path): [string, number, number, Parameters<typeof post>[1]] => [
      `the target ${path}`,
      400,
      3,
      { path, headers: JSON_TYPE, body: ENCODED.json },
    ]),
    ['an unknown path', 404, 5, { path: `/${SECRET.replace(' ', '-')}`, headers: JSON_TYPE, body: '{}' }],
    ['another method', 405, 12, { method: 'PUT', headers: PROTOBUF_TYPE, body: ENCODED.protobuf }],
    ['a read', 405, 12, { method: 'GET' }],
    ['a preflight, as cors is off', 405, 12, { method: 'OPTIONS' }],
    ['no content type', 415, 3, { body: ENCODED.json }],
    ['an unknown content type', 415, 3, { headers: { 'content-type': 'text/plain' }, body: ENCODED.json }],
    [
      'an unknown content encoding',
      415,
      12,
      { headers: { ...PROTOBUF_TYPE, 'content-encoding': 'br' }, body: ENCODED.protobuf },
    ],
    [
      'an encoding upon another',
      415,
      12,
      { headers: { ...JSON_TYPE, 'content-encoding': 'gzip, gzip' }, body: ENCODED.json },
    ],
    ['a body beyond the limit', 413, 8, { headers: JSON_TYPE, body: ' '.repeat(LIMIT + 1) }],
    [
      'a body beyond the limit in chunks',
      413,
      8,
      { headers: PROTOBUF_TYPE, body: Array.from({ length: 101 }, () => Buffer.alloc(1_000)) },
    ],
    [
      'a body beyond the limit once inflated',
      413,
      8,
      {
        headers: { ...PROTOBUF_TYPE, 'content-encoding': 'gzip' },
        body: zlib.gzipSync(Buffer.alloc(LIMIT + 1)),
      },
    ],
    [
      'metrics beyond the limit once inflated',
      413,
      8,
      {
        path: '/v1/metrics',
        headers: { ...PROTOBUF_TYPE, 'content-encoding': 'deflate' },
        body: zlib.deflateSync(Buffer.alloc(LIMIT + 1)),
      },
    ],
    ['another expectation', 417, 9, { headers: { ...JSON_TYPE, expect: 'a miracle' }, body: ENCODED.json }],
  ];

  it.each(cases)('%s: %i with a Status of code %i', async (_, status, code, request) => {
    const { sink, address } = await receive();
    const answer = await post(address, request);
    expect(answer.status).toBe(status);
    const type = String(request?.headers?.['content-type'] ?? '');
    const expected = type.endsWith('protobuf') ? 'application/x-protobuf' : 'application/json';
    expect(answer.headers['content-type']).toBe(expected);
    const rpc = readRpcStatus(answer.body, expected);
    expect(rpc.code).toBe(code);
    expect(rpc.message).not.toBe('');
    const details = status === 400 ? { BadRequest: { fieldViolations: [{ description: rpc.message }] } } : {};
    expect(rpc.details).toEqual(details);
    expect(`${answer.body} ${JSON.stringify(answer.headers)}`).not.toMatch(/my.prompt/);
    expect(answer.headers['retry-after']).toBeUndefined();
    expect(sink.requests).toEqual([]);
    expect(sink.held).toBe(0);
  });

  it('is told what would be taken', async () => {
    const { address } = await receive();
    expect((await post(address, { method: 'GET' })).headers.allow).toBe('POST');
    expect((await post(address, { body: 'x' })).headers.accept).toBe(
      'application/x-protobuf, application/json',
    );
    const encoded = await post(address, { headers: { ...JSON_TYPE, 'content-encoding': 'br' }, body: 'x' });
    expect(encoded.headers['accept-encoding']).toBe(
      zstd ? 'identity, gzip, deflate, zstd' : 'identity, gzip, deflate',
    );
  });

  it('does not spoil the connection for the next one', async () => {
    const { sink, address } = await receive();
    const { Agent } = await import('node:http');
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (const body of ['nonsense', ' '.repeat(LIMIT + 50_000), ENCODED.json]) {
      await post(address, { agent, headers: JSON_TYPE, body });
    }
    agent.destroy();
    expect(sink.spans).toEqual(['execute_tool search']);
  });
});

describe('the body limit', () => {
  it('takes a body of exactly its size, compressed or not', async () => {
    const { sink, address } = await receive();
    const body = ENCODED.json + ' '.repeat(LIMIT - ENCODED.json.length);
    expect((await post(address, { headers: JSON_TYPE, body })).status).toBe(200);
    const headers = { ...JSON_TYPE, 'content-encoding': 'gzip' };
    expect((await post(address, { headers, body: zlib.gzipSync(body) })).status).toBe(200);
    expect(sink.spans).toHaveLength(2);
  });
});

describe('overload', () => {
  it.each([
    ['json', JSON_TYPE],
    ['protobuf', PROTOBUF_TYPE],
  ] as const)('is answered 503 with Retry-After of 1 to 3 seconds (%s)', async (encoding, headers) => {
    const { sink, address } = await receive();
    sink.room = 10;
    const answer = await post(address, { headers, body: ENCODED[encoding] });
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toMatch(/^[123]$/);
    const status = readRpcStatus(answer.body, answer.headers['content-type']);
    expect(status).toMatchObject({
      code: 14,
      details: { RetryInfo: { retryDelay: `${answer.headers['retry-after']}s` } },
    });
    sink.room = 100_000;
    expect((await post(address, { headers, body: ENCODED[encoding] })).status).toBe(200);
    expect(sink.held).toBe(0);
  });

  it('shows while a body is read or inflated too', async () => {
    const { sink, address } = await receive();
    sink.room = 20_000;
    const inChunks = Array.from({ length: 50 }, () => Buffer.alloc(1_000, ' '));
    expect((await post(address, { headers: JSON_TYPE, body: inChunks })).status).toBe(503);
    const headers = { ...JSON_TYPE, 'content-encoding': 'gzip' };
    const body = zlib.gzipSync(Buffer.alloc(50_000, ' '));
    expect((await post(address, { headers, body })).status).toBe(503);
    expect(sink.held).toBe(0);
    expect(sink.most).toBeLessThanOrEqual(20_000);
  });
});

describe('the answer of an upstream', () => {
  it('is the answer here', async () => {
    const { sink, address } = await receive();
    sink.upstream = async () => ({ status: 429, retryAfterSeconds: 7, body: Buffer.from('{"code":8}') });
    const answer = await post(address, { headers: JSON_TYPE, body: ENCODED.json });
    expect(answer).toMatchObject({ status: 429, body: Buffer.from('{"code":8}') });
    expect(answer.headers).toMatchObject({ 'retry-after': '7', 'content-type': 'application/json' });
    sink.upstream = async () => ({ status: 0, retryAfterSeconds: undefined, body: Buffer.alloc(0) });
    expect((await post(address, { headers: JSON_TYPE, body: ENCODED.json })).status).toBe(502);
  });
});

describe('bearer tokens', () => {
  const auth = { tokens: [{ token: 'open-sesame', tenant: 'a' }, { token: 'secret2' }] };

  it('let in who knows one, and tell whose data it is', async () => {
    const { sink, address } = await receive({ auth });
    for (const authorization of ['Bearer open-sesame', 'bearer secret2']) {
      const headers = { ...JSON_TYPE, authorization };
      expect((await post(address, { headers, body: ENCODED.json })).status).toBe(200);
    }
    expect(sink.requests.map(({ tenant }) => tenant)).toEqual(['a', undefined]);
    expect(JSON.stringify(sink.requests.map(({ headers }) => headers))).not.toMatch(/sesame|secret2/);
  });

  it.each([
    undefined,
    'Bearer',
    'Bearer ',
    'Bearer open-sesam',
    'Bearer open-sesame2',
    'Bearer open-sesame and more',
    'Basic open-sesame',
    'open-sesame',
  ])('keep out %s: 401', async (authorization) => {
    const { sink, address } = await receive({ auth });
    const headers = { ...PROTOBUF_TYPE, ...(authorization && { authorization }) };
    const answer = await post(address, { path: '/nowhere', headers, body: ENCODED.protobuf });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer');
    expect(readRpcStatus(answer.body, answer.headers['content-type']).code).toBe(16);
    expect(sink.requests).toEqual([]);
  });

  it('must be such that they can be sent', () => {
    for (const token of ['', 'two words', 'ä', 'line\n']) {
      expect(
        () =>
          new OtlpHttpReceiver({
            sink: new RecordingSink(),
            host: '',
            port: 0,
            auth: { tokens: [{ token }] },
          }),
      ).toThrow(/auth\.tokens\[0\]/);
    }
  });
});

describe('web pages', () => {
  const origin = 'https://app.example.com';
  const preflight = { origin, 'access-control-request-method': 'POST' };

  it('may not send by default, nor from an origin that is not listed', async () => {
    for (const cors of [undefined, { allowedOrigins: ['https://other.example.com'] }]) {
      const { sink, address } = await receive(cors ? { cors } : {});
      const asked = await post(address, { method: 'OPTIONS', headers: preflight });
      const sent = await post(address, { headers: { ...JSON_TYPE, origin }, body: ENCODED.json });
      for (const answer of [asked, sent]) {
        expect(answer.status).toBe(403);
        expect(answer.headers['access-control-allow-origin']).toBeUndefined();
      }
      expect(sink.requests).toEqual([]);
    }
  });

  it('may send from a listed origin, and are told so before they show a token', async () => {
    // One that OTLP needs anyway is named once.
    const cors = { allowedOrigins: [origin], allowedHeaders: ['x-team', 'Authorization'] };
    const { sink, address } = await receive({ cors, auth: { tokens: [{ token: 't' }] } });
    const asked = await post(address, { method: 'OPTIONS', headers: preflight });
    expect([asked.status, asked.body.length]).toEqual([204, 0]);
    expect(asked.headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'content-type, content-encoding, authorization, x-team',
      'access-control-max-age': '7200',
      vary: 'Origin',
    });
    const refused = await post(address, { headers: { ...JSON_TYPE, origin }, body: ENCODED.json });
    expect(refused.status).toBe(401);
    expect(refused.headers['access-control-allow-origin']).toBe(origin);
    expect(refused.headers['access-control-expose-headers']).toBe('Retry-After');
    const { origin: _, ...fromNoPage } = preflight;
    expect((await post(address, { method: 'OPTIONS', headers: fromNoPage })).status).toBe(401);
    const headers = { ...JSON_TYPE, origin, authorization: 'Bearer t' };
    expect((await post(address, { headers, body: ENCODED.json })).status).toBe(200);
    expect(sink.spans).toHaveLength(1);
  });

  it('hear from us who may read an answer, whatever an upstream says', async () => {
    const { sink, address } = await receive({ cors: { allowedOrigins: [origin] } });
    const headers = { 'access-control-allow-origin': '*', vary: 'Accept', 'x-request-id': 'r-1' };
    sink.upstream = async () => ({
      status: 200,
      retryAfterSeconds: undefined,
      body: Buffer.from('{}'),
      headers,
    });
    const answer = await post(address, { headers: { ...JSON_TYPE, origin }, body: ENCODED.json });
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': origin,
      vary: 'Origin',
      'x-request-id': 'r-1',
    });
  });

  it('are listed by origins in full', () => {
    for (const listed of ['*', 'https://*.example.com', 'https://a.example.com/', 'example.com']) {
      const options = { sink: new RecordingSink(), host: '', port: 0, cors: { allowedOrigins: [listed] } };
      expect(() => new OtlpHttpReceiver(options)).toThrow(/origin in full/);
    }
  });
});

describe('listening', () => {
  it('names a port that is taken, and what to do', async () => {
    const { address } = await receive();
    await expect(receive({ port: address.port })).rejects.toThrow(
      `cannot listen on 127.0.0.1:${address.port} (EADDRINUSE): another process has taken the port`,
    );
  });

  it('hears of each answer, for metrics', async () => {
    const answers: unknown[] = [];
    const { address, receiver } = await receive({ onAnswer: (answer) => answers.push(answer) });
    await post(address, { headers: JSON_TYPE, body: ENCODED.json });
    await post(address, { path: '/v1/logs', body: 'x' });
    await post(address, { path: '/secret', body: 'x' });
    await receiver.close(1_000);
    expect(answers).toEqual([
      { transport: 'http', signal: 'traces', status: 200 },
      { transport: 'http', signal: 'logs', status: 415 },
      { transport: 'http', signal: undefined, status: 404 },
    ]);
  });

  it.each([
    { port: 70_000 },
    { maxRequestBodySize: 0 },
    { maxRequestBodySize: 2 ** 30 },
    { maxConnections: 0.5 },
  ])('refuses %j', async (options) => {
    await expect(receive(options)).rejects.toThrow(RangeError);
  });
});

describe('closing', () => {
  it('finishes what is in flight, takes nothing new, and closes the rest', async () => {
    const { sink, address, receiver } = await receive();
    const isAsked = sink.whenUpstreamIsAsked();
    const sent = post(address, { headers: JSON_TYPE, body: ENCODED.json });
    const answer = await isAsked;
    const closed = receiver.close(5_000);
    expect(receiver.close(1)).toBe(closed);
    await expect(post(address, { headers: JSON_TYPE, body: ENCODED.json })).rejects.toThrow('ECONNREFUSED');
    answer(Buffer.from('{}'));
    expect((await sent).status).toBe(200);
    await closed;
  });

  it('takes no longer than it may', async () => {
    const { sink, address, receiver } = await receive();
    const isAsked = sink.whenUpstreamIsAsked();
    const sent = post(address, { headers: JSON_TYPE, body: ENCODED.json });
    await isAsked;
    const start = performance.now();
    await receiver.close(100);
    expect(performance.now() - start).toBeLessThan(1_000);
    expect(await sent).toMatchObject({ status: 503, headers: { 'retry-after': expect.any(String) } });
  });
});
