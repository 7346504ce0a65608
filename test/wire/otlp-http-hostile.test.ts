import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { OtlpHttpReceiver, type OtlpHttpReceiverOptions } from '../../src/source/receiver/otlp-http.ts';
import { requestOf, spanJson } from '../source/otlp-request.ts';
import { JSON_TYPE, post, RawConnection } from './http-client.ts';
import { LIMIT, receiving } from './receiving.ts';
import { readRpcStatus } from './rpc-status.ts';

const BODY = JSON.stringify(requestOf([spanJson()]));
const PATIENT = { timeout: 10_000 };
const HEAD = 'POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
const WHOLE = `${HEAD}Content-Length: ${BODY.length}\r\n\r\n${BODY}`;

async function receive(options: Partial<OtlpHttpReceiverOptions> = {}) {
  const started = await receiving(OtlpHttpReceiver, options);
  const open = async () => {
    const connection = await RawConnection.open(started.address);
    onTestFinished(() => connection.close());
    return connection;
  };
  return { ...started, open };
}

/** Statuses of the answers on a connection, in their order. */
function statusesOf(text: string): readonly number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}

describe('what is no HTTP', () => {
  it.each([
    ['noise', randomBytes(2_000)],
    ['a megabyte of noise', randomBytes(2 ** 20)],
    ['half of TLS', Buffer.from('160301020001000001fc0303', 'hex')],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a path that is none', 'POST v1/traces HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a header without a name', 'POST / HTTP/1.1\r\n: x\r\n\r\n'],
    ['a header with a zero', 'POST / HTTP/1.1\r\nHost: x\0y\r\n\r\n'],
    ['a body of two lengths', `${HEAD}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`],
    ['a body of no length at all', `${HEAD}Content-Length: -1\r\n\r\n`],
    [
      'a body with length and chunks',
      `${HEAD}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    [
      'two hosts',
      `POST /v1/traces HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`,
    ],
    ['no host', 'POST /v1/traces HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}'],
    ['an unknown transfer encoding', `${HEAD}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
    ['a chunk of no size', `${HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\n`],
  ])('%s: 400 with a Status, and the connection ends', async (_, data) => {
    const { sink, address, open } = await receive();
    const connection = await open();
    connection.write(data);
    const text = await connection.until('"code":3');
    expect(statusesOf(text)).toEqual([400]);
    expect(text.toLowerCase()).toContain('content-type: application/json');
    connection.socket.end();
    await connection.untilEnd();
    expect(connection.error).toBeUndefined();
    expect((await post(address, { headers: JSON_TYPE, body: BODY })).status).toBe(200);
    expect(sink.held).toBe(0);
  });

  it('may go on after the answer, which is not cut off for that', async () => {
    const { open } = await receive();
    const connection = await open();
    connection.write('no HTTP\r\n\r\n');
    await connection.until('"code":3');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }); // for as long as it takes
    onTestFinished(() => void vi.useRealTimers());
    for (let i = 0; i < 50; i++) {
      connection.write('nor is this\r\n\r\n');
      await sleep(10);
    }
    expect(connection.error).toBeUndefined();
    expect(statusesOf(connection.text)).toEqual([400]);
  });

  it('too many headers: 431 with a Status', async () => {
    const { open } = await receive();
    const connection = await open();
    connection.write(`${HEAD}X-Large: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect(statusesOf(await connection.until('"code":8'))).toEqual([431]);
  });

  it.each([
    ['headers that are too large', 431, `X-Large: ${'x'.repeat(20_000)}\r\n`],
    ['a header without a name', 400, ': x\r\n'],
    ['two lengths', 400, 'Content-Length: 1\r\nContent-Length: 2\r\n'],
  ])('%s: %i in the type that the request names', async (_, status, fields) => {
    for (const type of ['application/x-protobuf', 'application/protobuf']) {
      const { open } = await receive();
      const connection = await open();
      connection.write(`POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}; x=y\r\n${fields}\r\n`);
      const [head, body] = (await connection.until('expected ')).split('\r\n\r\n');
      expect(statusesOf(head ?? '')).toEqual([status]);
      expect(head).toMatch(new RegExp(`^content-type: ${type}$`, 'm'));
      const { code, message } = readRpcStatus(Buffer.from(body ?? '', 'latin1'), type);
      expect({ code, message }).toEqual({
        code: status === 431 ? 8 : 3,
        message: expect.stringMatching(/^expected/),
      });
    }
  });

  it('a proxy request: 405 with a Status', async () => {
    const { open } = await receive();
    const connection = await open();
    connection.write('CONNECT secret.example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n');
    const text = await connection.until('"code":12');
    expect(text).toMatch(/^HTTP\/1\.1 405 [\s\S]*allow: POST/);
    expect(text).not.toContain('secret');
  });

  it('an upgrade is not made, and the request is taken as it is', async () => {
    const { sink, open } = await receive();
    const connection = await open();
    connection.write(WHOLE.replace('Host:', 'Connection: Upgrade\r\nUpgrade: h2c\r\nHost:'));
    await connection.until('\r\n\r\n{}');
    expect(sink.spans).toHaveLength(1);
  });
});

describe('a body that is not as long as was said', () => {
  it('but longer: the rest is no request', async () => {
    const { sink, open } = await receive();
    const connection = await open();
    connection.write(`${WHOLE}and more\r\n\r\n`);
    await connection.untilEnd();
    expect(statusesOf(connection.text)).toEqual(expect.arrayContaining([200]));
    expect(statusesOf(connection.text)).not.toContain(500);
    expect(sink.spans).toHaveLength(1);
  });

  it('but shorter: 400 where the sender has hung up', async () => {
    const { sink, open } = await receive();
    const connection = await open();
    connection.write(WHOLE.slice(0, -10));
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }); // it is not the time that ends it
    onTestFinished(() => void vi.useRealTimers());
    connection.socket.end();
    expect(statusesOf(await connection.untilEnd())).toEqual([400]);
    expect(sink.requests).toEqual([]);
    expect(sink.held).toBe(0);
  });

  it('but shorter: 408 where it has not', async () => {
    const { sink, open } = await receive({ bodyTimeoutMillis: 200 });
    const connection = await open();
    connection.write(WHOLE.slice(0, -10));
    const text = await connection.until('"code":4');
    expect(statusesOf(text)).toEqual([408]);
    expect(text.toLowerCase()).toContain('connection: close');
    expect(sink.held).toBe(0);
  });

  it('takes no room by the claim alone', async () => {
    const { sink, open } = await receive();
    sink.room = LIMIT;
    const claims = await Promise.all(Array.from({ length: 10 }, open));
    for (const claim of claims) claim.write(`${HEAD}Content-Length: ${LIMIT}\r\n\r\n{`);
    await expect.poll(() => sink.held).toBeGreaterThan(0);
    const honest = await open();
    honest.write(WHOLE);
    await honest.until('\r\n\r\n{}');
  });

  it('but cut off leaves nothing behind', async () => {
    const { sink, receiver, open } = await receive();
    const connection = await open();
    connection.write(WHOLE.slice(0, -10));
    await expect.poll(() => sink.held).toBeGreaterThan(0);
    connection.socket.resetAndDestroy();
    await expect.poll(() => sink.held).toBe(0);
    await receiver.close(5_000);
  });
});

describe('Expect: 100-continue', () => {
  const asking = `${HEAD}Expect: 100-continue\r\nContent-Length: ${BODY.length}\r\n\r\n`;

  it('is answered before the body comes', async () => {
    const { sink, open } = await receive();
    const connection = await open();
    connection.write(asking);
    await connection.until('HTTP/1.1 100 Continue');
    connection.write(BODY);
    await connection.until('\r\n\r\n{}');
    expect(sink.spans).toHaveLength(1);
    expect(sink.requests[0]?.headers).not.toHaveProperty('expect');
  });

  it('leaves the connection as it is where leave was given and the body is refused', async () => {
    const { open } = await receive();
    const connection = await open();
    connection.write(asking);
    await connection.until('HTTP/1.1 100 Continue');
    connection.write('x'.repeat(BODY.length));
    await connection.until('"code":3');
    expect(connection.text.toLowerCase()).not.toContain('connection: close');
    connection.write(WHOLE);
    await connection.until('\r\n\r\n{}');
    expect(statusesOf(connection.text)).toEqual([100, 400, 200]);
  });

  it.each([
    ['a body that is too large', 413, asking.replace(/Length: \d+/, `Length: ${LIMIT + 1}`), Infinity],
    ['an unknown path', 404, asking.replace('/v1/traces', '/x'), Infinity],
    ['overload', 503, asking, 10],
  ])('spares the sender %s: %i at once', async (_, status, data, room) => {
    const { sink, open } = await receive();
    sink.room = room;
    const connection = await open();
    connection.write(data);
    await connection.until('"code"');
    expect(statusesOf(connection.text)).toEqual([status]);
    expect(connection.text.toLowerCase()).toContain('connection: close');
  });
});

describe('many requests on one connection', () => {
  it('may be sent without waiting, and are answered in their order', async () => {
    const { sink, open } = await receive();
    const connection = await open();
    const empty = `${HEAD}Content-Length: 2\r\n\r\n{}`;
    const wrong = empty.replace('/v1/traces', '/x');
    connection.write([WHOLE, wrong, gzipped(), empty, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'].join(''));
    await expect.poll(() => statusesOf(connection.text)).toEqual([200, 404, 415, 200, 405]);
    expect(sink.held).toBe(0);
  });

  it('are 256 at most, and who sends more is cut off without an answer', async () => {
    const empty = `${HEAD}Content-Length: 2\r\n\r\n{}`;
    const { sink, receiver, open } = await receive();
    let answers = () => {};
    const answered = new Promise<void>((resolve) => {
      answers = resolve;
    });
    sink.upstream = () =>
      answered.then(() => ({ status: 200, retryAfterSeconds: undefined, body: Buffer.from('{}') }));
    const [modest, greedy] = [await open(), await open()];
    modest.write(empty.repeat(256));
    await expect.poll(() => sink.requests.length, PATIENT).toBe(256);
    greedy.write(empty.repeat(400));
    expect(await greedy.untilEnd()).toBe('');
    expect(sink.requests.length).toBeLessThanOrEqual(256 + 257); // the last one came before its connection went
    answers();
    await expect.poll(() => statusesOf(modest.text), PATIENT).toEqual(Array(256).fill(200));
    await expect.poll(() => sink.held).toBe(0);
    await receiver.close(60_000); // nothing is left to wait for
  });

  it('are each answered in their own type, also where the second goes wrong after the first was answered', async () => {
    const { open } = await receive();
    const connection = await open();
    const protobuf = HEAD.replace('application/json', 'application/x-protobuf');
    connection.write(`${protobuf}Content-Length: 0\r\n\r\n${protobuf}Transfer-Encoding: chunked\r\n\r\n`);
    await expect.poll(() => statusesOf(connection.text)).toEqual([200]);
    connection.write('no size of a chunk\r\n');
    const text = await connection.until('expected a valid HTTP/1.1 body');
    expect(statusesOf(text)).toEqual([200, 400]);
    expect(text.match(/^content-type: .*$/gim)).toEqual(
      Array(2).fill(expect.stringMatching(/^content-type: application\/x-protobuf$/i)),
    );
  });

  const gzipped = () => `${HEAD}Content-Encoding: br\r\nContent-Length: 3\r\n\r\nabc`;
});

describe('an answer before the body has come', () => {
  it.each([
    ['by its length', `${HEAD}Content-Length: 180000\r\n\r\n`, 180_000, ''],
    ['by its chunks', `${HEAD}Transfer-Encoding: chunked\r\n\r\n`, 180_000, '\r\n'],
  ])('can be read by a sender that sends all first (%s)', async (_, head, size, end) => {
    const { open } = await receive();
    const connection = await open();
    connection.socket.pause();
    connection.write(head);
    for (let sent = 0; sent < size; sent += 1_000) {
      connection.write(`${end && '3e8\r\n'}${' '.repeat(1_000)}${end}`);
      if (sent % 20_000 === 0) await sleep(2);
    }
    if (end) connection.write('0\r\n\r\n');
    connection.socket.resume();
    await connection.until('"code":8');
    expect(statusesOf(connection.text)).toEqual([413]);
    connection.write(WHOLE);
    await connection.until('\r\n\r\n{}');
    expect(connection.error).toBeUndefined();
  });

  it('is not read on for ever, and can be read until then', async () => {
    const { open } = await receive();
    const connection = await open();
    connection.write(`${HEAD}Content-Length: 100000000\r\n\r\n`);
    for (let sent = 0; sent < 100; sent++) connection.write(Buffer.alloc(1_000_000));
    expect(statusesOf(await connection.until('"code":8'))).toEqual([413]);
    await connection.untilEnd();
    // It ended with most of the body unsent.
    expect(connection.socket.writableLength).toBeGreaterThan(50_000_000);
  });
});

describe('slow senders', () => {
  it('of headers are cut off, and told why', async () => {
    const { open } = await receive({ headersTimeoutMillis: 300 });
    const connection = await open();
    const start = performance.now();
    const drip = setInterval(() => connection.write('x'), 20);
    connection.write(`${HEAD}X: `);
    expect(statusesOf(await connection.until('"code":4'))).toEqual([408]);
    clearInterval(drip);
    expect(performance.now() - start).toBeLessThan(1_500);
  });

  it('of bodies are cut off, and told why', async () => {
    const { sink, open } = await receive({ bodyTimeoutMillis: 300 });
    const connection = await open();
    const start = performance.now();
    connection.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`);
    const drip = setInterval(() => connection.write('1\r\n \r\n'), 20);
    expect(statusesOf(await connection.until('"code":4'))).toEqual([408]);
    clearInterval(drip);
    expect(performance.now() - start).toBeLessThan(1_500);
    expect(sink.held).toBe(0);
  });

  it('that send nothing are let go without a word', async () => {
    const { open } = await receive({ headersTimeoutMillis: 200 });
    const connection = await open();
    expect(await connection.untilEnd()).toBe('');
  });

  it('of a next request too', async () => {
    const { open } = await receive({ idleTimeoutMillis: 200 });
    const connection = await open();
    connection.write(WHOLE);
    await connection.until('\r\n\r\n{}');
    const start = performance.now();
    await connection.untilEnd();
    expect(performance.now() - start).toBeLessThan(3_000);
  });

  it('in hundreds do not slow down a good one', async () => {
    const { sink, address, open } = await receive({ maxConnections: 500 });
    const slow = await Promise.all(Array.from({ length: 400 }, open));
    for (const [index, connection] of slow.entries()) {
      connection.write(index % 2 === 0 ? `${HEAD}X: ` : WHOLE.slice(0, -5));
    }
    const took: number[] = [];
    for (let sent = 0; sent < 50; sent++) {
      const start = performance.now();
      expect((await post(address, { headers: JSON_TYPE, body: BODY })).status).toBe(200);
      took.push(performance.now() - start);
    }
    expect(took.sort((a, b) => a - b)[45]).toBeLessThan(100);
    expect(sink.spans).toHaveLength(50);
  });
});

describe('connections beyond the bound', () => {
  it('are told to come again, and far beyond it are cut off', async () => {
    const { address, open } = await receive({ maxConnections: 2 });
    const first = await open();
    const second = await open();
    const third = await open();
    third.write(WHOLE);
    expect(await third.until('"code":14')).toMatch(/^HTTP\/1\.1 503 [\s\S]*Retry-After: [123]\r\n/i);
    first.write(WHOLE);
    await first.until('\r\n\r\n{}');
    second.close();
    third.close();
    await expect.poll(async () => (await post(address, { headers: JSON_TYPE, body: BODY })).status).toBe(200);

    const many = await Promise.all(Array.from({ length: 100 }, open));
    await expect.poll(() => many.filter(({ socket }) => socket.readableEnded).length).toBeGreaterThan(30);
  });
});

describe('a connection that is open when the receiver closes', () => {
  it('is told to come again elsewhere while what is in flight is finished', async () => {
    const { sink, receiver, open } = await receive();
    const [idle, busy, half] = [await open(), await open(), await open()];
    idle.write(WHOLE);
    await idle.until('\r\n\r\n{}');
    half.write(WHOLE.slice(0, -10));
    const isAsked = sink.whenUpstreamIsAsked();
    busy.write(WHOLE);
    const answer = await isAsked;
    expect(sink.requests).toHaveLength(2);

    const closed = receiver.close(5_000);
    await idle.untilEnd();
    answer(Buffer.from('{}'));
    expect(statusesOf(await busy.until('\r\n\r\n{}'))).toEqual([200]);
    sink.upstream = undefined;
    half.write(WHOLE.slice(-10));
    expect(statusesOf(await half.until('\r\n\r\n{}'))).toEqual([200]);
    await closed;
    expect(sink.spans).toHaveLength(3);
  });

  it('gets 503 for a body that does not end, before it is closed', async () => {
    const { sink, receiver, open } = await receive();
    const [half, asking] = [await open(), await open()];
    half.write(WHOLE.slice(0, -10));
    const isAsked = sink.whenUpstreamIsAsked();
    asking.write(WHOLE);
    await isAsked;
    expect(sink.requests).toHaveLength(1);
    await expect.poll(() => sink.held).toBeGreaterThan(WHOLE.length);
    const closed = receiver.close(1_000);
    for (const connection of [half, asking]) {
      const text = await connection.until('"code":14');
      expect(text).toMatch(/^HTTP\/1\.1 503 [\s\S]*Retry-After: [123]\r\n/i);
      expect(text.toLowerCase()).toContain('connection: close');
    }
    await closed;
    expect([half.error, asking.error]).toEqual([undefined, undefined]);
  });

  it('gets 503 for a request that was not in flight', async () => {
    const { sink, receiver, open } = await receive();
    const connection = await open();
    connection.write(WHOLE.slice(0, 30));
    await expect.poll(() => connection.socket.bytesWritten).toBe(30);
    await sleep(20);
    receiver.stopAccepting();
    connection.write(WHOLE.slice(30));
    const text = await connection.until('"code":14');
    expect(text).toMatch(/^HTTP\/1\.1 503 /);
    expect(text.toLowerCase()).toContain('connection: close');
    expect(sink.requests).toEqual([]);
  });
});

describe('a body compressed beyond reason', () => {
  it('is stopped at the limit, again and again', async () => {
    const { sink, address } = await receive();
    const bomb = gzipSync(Buffer.alloc(20 * 2 ** 20));
    const headers = { ...JSON_TYPE, 'content-encoding': 'gzip' };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => post(address, { headers, body: bomb })),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 413));
    expect(sink.held).toBe(0);
    expect(sink.most).toBeLessThanOrEqual(20 * 2 * LIMIT);
  });
});
