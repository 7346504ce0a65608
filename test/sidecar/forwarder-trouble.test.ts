import { createServer, type Server, type Socket } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { context, createContextKey } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { afterEach, describe, expect, it } from 'vitest';
import type { ForwarderOptions } from '../../src/sidecar/forward/forward-options.ts';
import { Forwarder } from '../../src/sidecar/forward/forwarder.ts';
import { readStatus } from '../../src/source/receiver/otlp-status.ts';
import { captureWarnings } from '../support/captured-warnings.ts';
import { otlpRequest, startHttpUpstream, success, until } from './forwarder-upstreams.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const MIB = 1_048_576;

async function upstream(...args: Parameters<typeof startHttpUpstream>) {
  const server = await startHttpUpstream(...args);
  closers.push(() => server.close());
  return server;
}

async function open(endpoint: string, options: Partial<ForwarderOptions> = {}): Promise<Forwarder> {
  const retry = { initialIntervalMillis: 10, maxIntervalMillis: 20, maxElapsedMillis: 60_000 };
  const forwarder = await Forwarder.open({ endpoint, protocol: 'http', retry, ...options });
  closers.push(() => forwarder.close());
  return forwarder;
}

/** A server below HTTP, which does what no HTTP server would. */
async function rawUpstream(onData: (socket: Socket, data: string) => void): Promise<string> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => onData(socket, data.toString('latin1')));
    closers.push(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}`;
}

/** A head, and then bytes for as long as anyone takes them. */
function endless(head: string): Promise<string> {
  return rawUpstream((socket) => {
    if (socket.bytesWritten > 0) return;
    socket.write(head);
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
    const more = () => {
      while (!socket.destroyed && socket.write(chunk));
    };
    socket.on('drain', more);
    more();
  });
}

const ENDLESS = (status: string) =>
  `HTTP/1.1 ${status}\r\ncontent-type: application/x-protobuf\r\ntransfer-encoding: chunked\r\n\r\n`;

describe('a dead upstream', () => {
  it('costs a bounded queue and no more, and gets everything when it is back', async () => {
    const first = await startHttpUpstream();
    await first.close();
    const forwarder = await open(first.url);
    const began = performance.now();
    for (let i = 0; i < 1_000; i++) void forwarder.forward(otlpRequest({ body: Buffer.from(String(i)) }));
    expect(performance.now() - began).toBeLessThan(500);
    await until(() => forwarder.stats.retries > 20);
    expect(forwarder.isFailing).toBe(true);
    expect(forwarder.stats).toMatchObject({ queuedRequests: 1_000, sent: 0 });
    const second = await upstream(undefined, first.port);
    await until(() => forwarder.stats.sent === 1_000);
    expect(new Set(second.received.map(({ body }) => String(body))).size).toBe(1_000);
    expect(forwarder.isFailing).toBe(false);
  });

  it('is told of once, with its reason and without what was to be sent', async () => {
    const gone = await startHttpUpstream();
    await gone.close();
    const forwarder = await open(gone.url.replace('http://', 'http://user:secret@'));
    const told = captureWarnings();
    closers.push(() => told.stop());
    void forwarder.forward(otlpRequest({ body: Buffer.from('content'), headers: { 'x-h': 'content' } }));
    await until(() => forwarder.stats.retries > 3);
    expect(told.lines).toEqual([`spanplan: forwarding to ${gone.url}/ fails (ECONNREFUSED); requests wait`]);
  });
});

it('what is told of an upstream holds neither its path nor its query, in which a key may stand', async () => {
  const server = await upstream((_, response, count) =>
    response.writeHead(count === 1 ? 503 : count === 2 ? 200 : 400).end(),
  );
  const told = captureWarnings();
  closers.push(() => told.stop());
  const forwarder = await open(`${server.url}/ingest/SECRET?key=SECRET`);
  void forwarder.forward(otlpRequest());
  await until(() => forwarder.stats.sent === 1);
  void forwarder.forward(otlpRequest());
  await until(() => forwarder.stats.dropped.rejected === 1);
  const where = `${server.url}/****?****`;
  expect(told.lines).toEqual([
    `spanplan: forwarding to ${where} fails (HTTP 503); requests wait`,
    `spanplan: 1 request not forwarded to ${where}: rejected (HTTP 400)`,
  ]);
});

describe('a slow upstream', () => {
  it('is given up after the timeout, and asked again', async () => {
    let isSlow = true;
    const server = await upstream((request, response) => {
      if (!isSlow) success(request, response);
    });
    const forwarder = await open(server.url, { timeoutMillis: 100 });
    void forwarder.forward(otlpRequest());
    await until(() => forwarder.stats.retries > 1);
    isSlow = false;
    await until(() => forwarder.stats.sent === 1);
  });

  it('holds ten connections at most, and neither `forward` nor the event loop', async () => {
    const server = await upstream(() => {});
    const forwarder = await open(server.url, { timeoutMillis: 10_000 });
    const began = performance.now();
    for (let i = 0; i < 500; i++) void forwarder.forward(otlpRequest());
    await until(() => server.received.length === 10);
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(server.connections).toBe(10);
  });

  it('that answers with success drop by drop has taken the request', async () => {
    const url = await rawUpstream((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nx');
    });
    const forwarder = await open(url, { timeoutMillis: 150 });
    void forwarder.forward(otlpRequest());
    await until(() => forwarder.stats.sent === 1);
    expect(forwarder.stats.retries).toBe(0);
  });
});

describe('an enormous upstream', () => {
  it('that took the request is read up to 4 MiB, and left', async () => {
    const forwarder = await open(await endless(ENDLESS('200 OK')), { timeoutMillis: 20_000 });
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 10; i++) void forwarder.forward(otlpRequest());
    await until(() => forwarder.stats.sent === 10);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * MIB);
  });

  it('that refused it is believed too', async () => {
    const forwarder = await open(await endless(ENDLESS('400 Bad Request')));
    void forwarder.forward(otlpRequest());
    await until(() => forwarder.stats.dropped.rejected === 1);
  });

  it('gives a sender that waits an answer of ours, not 4 MiB of its own', async () => {
    const forwarder = await open(await endless(ENDLESS('200 OK')));
    expect(await forwarder.forwardSync(otlpRequest())).toEqual({
      status: 200,
      retryAfterSeconds: undefined,
      body: new Uint8Array(),
      headers: {},
    });
  });

  it('cannot inflate its answer beyond the bound either', async () => {
    const bomb = gzipSync(Buffer.alloc(20 * MIB));
    const server = await upstream((_, response) => {
      response
        .writeHead(400, { 'content-type': 'application/x-protobuf', 'content-encoding': 'gzip' })
        .end(bomb);
    });
    const forwarder = await open(server.url);
    const { status, body } = await forwarder.forwardSync(otlpRequest());
    expect(status).toBe(400);
    expect(body.length).toBeLessThan(1_000);
  });

  it('or a head without end is a connection error, and tried again', async () => {
    const url = await rawUpstream((socket) => {
      if (socket.bytesWritten === 0) socket.write(`HTTP/1.1 200 OK\r\nx-long: ${'x'.repeat(MIB)}`);
    });
    const forwarder = await open(url, { timeoutMillis: 2_000 });
    void forwarder.forward(otlpRequest());
    await until(() => forwarder.stats.retries > 1);
  });
});

describe('an upstream with something to say before', () => {
  it.each(['100 Continue', '102 Processing', '103 Early Hints'])(
    'that says %s answers later',
    async (head) => {
      const url = await rawUpstream((socket) => {
        socket.write(`HTTP/1.1 ${head}\r\nlink: </x>\r\n\r\n`);
        setTimeout(() => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'), 20);
      });
      const forwarder = await open(url);
      void forwarder.forward(otlpRequest());
      await until(() => forwarder.stats.sent === 1);
      expect(forwarder.stats.retries).toBe(0);
    },
  );

  it('that would change the protocol has not taken the request', async () => {
    const url = await rawUpstream((socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n');
    });
    const forwarder = await open(url);
    void forwarder.forward(otlpRequest());
    await until(() => forwarder.stats.retries > 1);
    expect(forwarder.stats).toMatchObject({ sent: 0, queuedRequests: 1 });
  });
});

describe('an upstream that closes connections at rest', () => {
  it('under the next request loses nothing, and no sender that waits hears of it', async () => {
    // Ten connections, each of which takes one request, and is cut when the second one comes.
    const seen = new Map<Socket, number>();
    const url = await rawUpstream((socket) => {
      const count = (seen.get(socket) ?? 0) + 1;
      seen.set(socket, count);
      if (count > 1) socket.resetAndDestroy();
      else setTimeout(() => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'), 30);
    });
    const forwarder = await open(url);
    await Promise.all(Array.from({ length: 10 }, () => forwarder.forwardSync(otlpRequest())));
    expect(seen.size).toBe(10);
    expect((await forwarder.forwardSync(otlpRequest())).status).toBe(200);
    expect(seen.size).toBe(11);
    for (let i = 0; i < 30; i++) void forwarder.forward(otlpRequest());
    await until(() => forwarder.stats.sent === 41);
    expect(forwarder.stats).toMatchObject({ received: 41, refused: 0 });
  });
});

it('connections cut at rest, one after another, take a sender no longer than the timeout', async () => {
  const taken = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n';
  const resting = new Set<Socket>();
  const url = await rawUpstream((socket) => {
    if (resting.has(socket)) return void setTimeout(() => socket.resetAndDestroy(), 600);
    resting.add(socket);
    if (resting.size > 5) socket.write(taken);
    else if (resting.size === 5) for (const each of resting) each.write(taken);
  });
  const forwarder = await open(url, { timeoutMillis: 1_000 });
  await Promise.all(Array.from({ length: 5 }, () => forwarder.forwardSync(otlpRequest())));
  expect(forwarder.stats.sent).toBe(5);
  expect((await forwarder.forwardSync(otlpRequest())).status).toBe(504);
});

describe('an upstream that speaks no HTTP', () => {
  it('is a connection error', async () => {
    const forwarder = await open(await rawUpstream((socket) => socket.end('SSH-2.0-OpenSSH\r\n')));
    const { status, body } = await forwarder.forwardSync(otlpRequest());
    expect(status).toBe(503);
    expect(readStatus(body)).toMatchObject({ code: 14, message: expect.stringContaining('HPE_') });
  });

  it('or answers before it has read the body is believed', async () => {
    const url = await rawUpstream((socket) => {
      socket.pause();
      socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n');
    });
    const forwarder = await open(url);
    const { status } = await forwarder.forwardSync(otlpRequest({ body: Buffer.alloc(8 * MIB) }));
    expect(status).toBe(413);
  });
});

describe('a sender that waits for the upstream gets', () => {
  const partial = Buffer.from([0x0a, 0x02, 0x08, 0x03]);

  it.each([
    [200, 'application/x-protobuf', partial],
    [200, 'application/protobuf', partial],
    [400, 'application/x-protobuf', Buffer.from([0x08, 0x03])],
    [503, 'application/x-protobuf; charset=none', Buffer.from([0x08, 0x0e])],
  ])('the status %d and the body as it is, from %s', async (status, type, body) => {
    const server = await upstream((_, response) => {
      response.writeHead(status, { 'content-type': type, 'retry-after': '7' }).end(body);
    });
    const forwarder = await open(server.url);
    const answer = await forwarder.forwardSync(otlpRequest());
    expect(answer.status).toBe(status);
    expect(Buffer.from(answer.body).equals(body)).toBe(true);
    expect(answer.retryAfterSeconds).toBe(status === 200 ? undefined : 7);
    expect(server.received).toHaveLength(1); // to try again is the sender's business
  });

  it('its header fields, but those of the connection and of its body', async () => {
    const server = await upstream((_, response) => {
      response
        .writeHead(401, {
          'www-authenticate': 'Bearer realm="there"',
          'x-request-id': 'r-1',
          'x-many': ['1', '2'],
          connection: 'close, x-hop',
          'x-hop': 'of this hop',
          'content-language': 'en',
          'access-control-allow-origin': '*',
          'strict-transport-security': 'max-age=1',
          vary: 'Origin',
          'alt-svc': 'h3=":443"',
          date: 'Fri, 20 Nov 2026 12:00:00 GMT',
          location: '/login',
          'retry-after': '1',
        })
        .end();
    });
    const { headers } = await (await open(server.url)).forwardSync(otlpRequest());
    expect(headers).toEqual({
      'www-authenticate': 'Bearer realm="there"',
      'x-request-id': 'r-1',
      'x-many': '1, 2',
    });
  });

  it.each([
    [202, 202],
    [204, 200],
    [205, 200],
  ])('%d as %d: an answer to an export has a body', async (status, expected) => {
    const server = await upstream((_, response) => response.writeHead(status).end());
    expect((await (await open(server.url)).forwardSync(otlpRequest())).status).toBe(expected);
  });

  it.each([
    ['gzip', gzipSync(partial)],
    ['X-GZip', gzipSync(partial)],
    ['deflate', deflateSync(partial)],
    ['br', brotliCompressSync(partial)],
    ['identity', partial],
  ])('an answer inflated, where it asked for compression: %s', async (encoding, body) => {
    const server = await upstream((_, response) => {
      const head = { 'content-type': 'application/x-protobuf', 'content-encoding': encoding };
      response.writeHead(200, head).end(body);
    });
    const forwarder = await open(server.url);
    const headers = { 'accept-encoding': encoding };
    expect(Buffer.from((await forwarder.forwardSync(otlpRequest({ headers }))).body)).toEqual(partial);
  });

  it.each(['zstd', 'gzip, gzip'])('an answer of ours for one in %s', async (encoding) => {
    const server = await upstream((_, response) => {
      const head = { 'content-type': 'application/x-protobuf', 'content-encoding': encoding };
      response.writeHead(200, head).end(partial);
    });
    const { status, body } = await (await open(server.url)).forwardSync(otlpRequest());
    expect(status).toBe(200);
    expect(body).toEqual(new Uint8Array());
  });

  it.each([
    ['an HTML page', 502, 502, { 'content-type': 'text/html' }, 14],
    ['nothing', 404, 404, {}, 5],
    ['JSON, where it sent protobuf', 400, 400, { 'content-type': 'application/json' }, 3],
    ['a redirect, which senders may take for success', 302, 500, { location: '/login' }, 13],
    ['a status of no class', 600, 500, { 'content-type': 'application/x-protobuf' }, 13],
  ])('a Status of ours for %s', async (_, status, expected, headers, code) => {
    const server = await upstream((_, response) => response.writeHead(status, headers).end('<html>'));
    const forwarder = await open(server.url);
    const answer = await forwarder.forwardSync(otlpRequest());
    expect(answer.status).toBe(expected);
    expect(readStatus(answer.body)).toEqual({ code, message: expect.stringContaining(String(status)) });
    expect(Buffer.from(answer.body).includes('<html>')).toBe(false);
  });

  it.each([
    [400, 3],
    [401, 16],
    [403, 7],
    [404, 5],
    [413, 8],
    [415, 3],
    [418, 2],
    [429, 14],
    [500, 13],
    [502, 14],
    [503, 14],
    [504, 14],
  ])(
    'a Status of ours for a bare %d, with the code %d that asks a sender of gRPC for the same',
    async (status, code) => {
      const server = await upstream((_, response) => response.writeHead(status).end());
      const { body } = await (await open(server.url)).forwardSync(otlpRequest());
      expect(readStatus(body)?.code).toBe(code);
    },
  );

  it('a Status in JSON, where it sent JSON', async () => {
    const server = await upstream((_, response) => response.writeHead(503).end());
    const forwarder = await open(server.url);
    const { body } = await forwarder.forwardSync(otlpRequest({ contentType: 'application/json' }));
    expect(JSON.parse(Buffer.from(body).toString())).toMatchObject({ code: 14 });
  });

  it('503 where the upstream is not there, 504 where it says nothing', async () => {
    const gone = await startHttpUpstream();
    await gone.close();
    expect((await (await open(gone.url)).forwardSync(otlpRequest())).status).toBe(503);
    const mute = await upstream(() => {});
    const forwarder = await open(mute.url, { timeoutMillis: 50 });
    expect((await forwarder.forwardSync(otlpRequest())).status).toBe(504);
    expect(forwarder.stats).toMatchObject({ refused: 1, queuedRequests: 0 });
  });

  it('an answer when the forwarder closes, and its request is not sent again', async () => {
    const server = await upstream((request, response, count) => {
      if (count === 1) success(request, response);
    });
    const forwarder = await open(server.url);
    await forwarder.forwardSync(otlpRequest());
    const answer = forwarder.forwardSync(otlpRequest());
    await until(() => server.received.length === 2);
    await forwarder.close();
    expect((await answer).status).toBe(504);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(server.received).toHaveLength(2);
    expect(server.connections).toBe(1);
    expect(forwarder.stats).toMatchObject({ received: 2, sent: 1, refused: 0, dropped: { shutdown: 1 } });
  });
});

describe('tracing', () => {
  it('of our own requests is suppressed', async () => {
    const manager = new AsyncLocalStorageContextManager().enable();
    context.setGlobalContextManager(manager);
    closers.push(() => context.disable());
    const key = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');
    const http = await import('node:http');
    const server = await upstream();
    const seen: unknown[] = [];
    const { Agent } = http.default;
    const { createConnection } = Agent.prototype as unknown as {
      createConnection: (...args: unknown[]) => unknown;
    };
    Object.assign(Agent.prototype, {
      createConnection(...args: unknown[]) {
        seen.push(context.active().getValue(key));
        return createConnection.apply(this, args);
      },
    });
    closers.push(() => Object.assign(Agent.prototype, { createConnection }));
    await (await open(server.url)).forwardSync(otlpRequest());
    void (await open(server.url)).forward(otlpRequest());
    await until(() => server.received.length === 2);
    expect(seen).toEqual([true, true]);
  });
});
