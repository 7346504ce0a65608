import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { createConnection, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { BoundAddress } from '../../src/source/receiver/receiver-options.ts';
import { JSON_TYPE, post } from '../wire/http-client.ts';

// Senders that go on sending, and read nothing of what they are answered.

const CHILD = fileURLToPath(new URL('unread-answers-child.ts', import.meta.url));
const TSX = import.meta.resolve('tsx');
const MIB = 2 ** 20;

describe('a sender over HTTP that reads no answer', () => {
  test('is cut off when its answer has waited for so long, whatever else it sends', async () => {
    const { address, look } = await receive('http', { answerTimeoutMillis: 2_000, answerBytes: MIB });
    const { socket, ended } = await silent(address);
    // More than the network between the two holds.
    socket.write(REQUEST.repeat(50));
    // It would not hear that it is cut off if it did not write. An empty line before a request means nothing.
    const writing = setInterval(() => socket.write('\r\n'), 100);
    const began = performance.now();
    await ended;
    clearInterval(writing);
    expect(performance.now() - began).toBeGreaterThan(1_500);
    expect(performance.now() - began).toBeLessThan(3_800);
    expect((await postEmpty(address)).status).toBe(200);
    // Those that waited behind the first one are over, too: a shutdown does not wait for them.
    await expect.poll(look).toMatchObject({ held: 0, answered: 51 });
  });

  test('and has hundreds under way is cut off before they cost much memory', async () => {
    const { address, look } = await receive('http', { answerAfterMillis: 6_000 });
    const before = await look();
    const began = performance.now();
    const senders = await Promise.all(Array.from({ length: 12 }, () => silent(address)));
    for (const { socket } of senders) flood(socket);
    await Promise.all(senders.map(({ ended }) => ended));
    expect(performance.now() - began).toBeLessThan(5_000);
    const after = await look();
    expect(after.peak - before.peak).toBeLessThan(100 * MIB);
    expect((await postEmpty(address)).status).toBe(200);
    await expect.poll(look).toMatchObject({ held: 0 });
  });
});

describe('a sender over gRPC that lets no byte of an answer through', () => {
  test.each([
    ['and is silent', 0],
    ['and pings', 100],
  ])('%s: each of its calls is cancelled in time, and costs little memory', async (_, pingMillis) => {
    const { address, look } = await receive('grpc', { answerTimeoutMillis: 1_000 });
    const good = await sessionTo(address);
    expect(await statusOf(call(good))).toBe('0');
    const before = await look();
    const session = await sessionTo(address, { initialWindowSize: 0 });
    if (pingMillis > 0) {
      const pinging = setInterval(() => session.destroyed || session.ping(() => {}), pingMillis);
      onTestFinished(() => clearInterval(pinging));
    }
    const began = performance.now();
    const calls = Array.from({ length: 100 }, () => call(session));
    expect(await statusOf(call(good))).toBe('0');
    await Promise.all(calls.map((stream) => stream.closed || once(stream, 'close')));
    expect(performance.now() - began).toBeLessThan(4_000);
    for (const stream of calls) expect(stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
    await expect.poll(async () => (await look()).answered).toBe(before.answered + 101);
    const after = await look();
    expect(after.held).toBe(0);
    expect(after.peak - before.peak).toBeLessThan(32 * MIB);
  });
});

interface Look {
  /** The most memory it has had so far, in bytes. */
  readonly peak: number;
  /** Bytes of room that were given and not given back. */
  readonly held: number;
  /** Answers that are over, whether they were read or not. */
  readonly answered: number;
}

async function receive(
  transport: 'http' | 'grpc',
  { answerAfterMillis = 0, answerTimeoutMillis = 60_000, answerBytes = 256 },
) {
  const args = [transport, answerAfterMillis, answerTimeoutMillis, answerBytes].map(String);
  const child = spawn(process.execPath, ['--import', TSX, CHILD, ...args], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [address] = (await once(child, 'message')) as [BoundAddress];
  const look = async () => {
    child.send('look');
    const [seen] = (await once(child, 'message')) as [Look];
    return seen;
  };
  return { address, look };
}

const postEmpty = (address: BoundAddress) => post(address, { headers: JSON_TYPE, body: '{}' });

const REQUEST =
  'POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}';
const REQUESTS = Buffer.from(REQUEST.repeat(500));

/** A connection of which nothing is read. */
async function silent({ host, port }: BoundAddress) {
  const socket = createConnection({ host, port });
  onTestFinished(() => void socket.destroy());
  socket.pause().on('error', () => {});
  const ended = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  await once(socket, 'connect');
  return { socket, ended };
}

/** Sends as much as the network takes. */
function flood(socket: Socket): void {
  const send = () => {
    if (!socket.destroyed && socket.write(REQUESTS)) setImmediate(send);
  };
  socket.on('drain', send);
  send();
}

async function sessionTo({ host, port }: BoundAddress, settings = {}): Promise<ClientHttp2Session> {
  const session = connect(`http://${host}:${port}`, { settings });
  onTestFinished(() => session.destroy());
  session.on('error', () => {});
  await once(session, 'remoteSettings');
  return session;
}

/** A call with an empty message. */
function call(session: ClientHttp2Session): ClientHttp2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.on('error', () => {}).resume();
  stream.end(Buffer.alloc(5));
  return stream;
}

async function statusOf(stream: ClientHttp2Stream): Promise<unknown> {
  const [trailers] = await once(stream, 'trailers');
  return trailers['grpc-status'];
}
