import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { open as openLmdb } from 'lmdb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DurableQueue } from '../../src/sidecar/forward/durable-queue.ts';
import { type ForwardDrop, Forwarder } from '../../src/sidecar/forward/forwarder.ts';
import type { OtlpRequest } from '../../src/source/receiver/otlp-sink.ts';
import { otlpRequest, startHttpUpstream, success, until } from './forwarder-upstreams.ts';

const closers: (() => unknown)[] = [];
let directory: string;
let storage: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'spanplan-queue-'));
  storage = join(directory, 'nested', 'queue');
});

afterEach(async () => {
  vi.restoreAllMocks();
  for (const close of closers.splice(0).reverse()) await close();
  rmSync(directory, { recursive: true, force: true });
});

async function openQueue(): Promise<DurableQueue> {
  const queue = await DurableQueue.open(storage);
  closers.push(() => queue.close());
  return queue;
}

async function upstream(...args: Parameters<typeof startHttpUpstream>) {
  const server = await startHttpUpstream(...args);
  closers.push(() => server.close());
  return server;
}

async function openForwarder(
  endpoint: string,
  drops: ForwardDrop[] = [],
  maxElapsedMillis = 60_000,
  maxBytes = 1e7,
) {
  const retry = { initialIntervalMillis: 10, maxIntervalMillis: 20, maxElapsedMillis };
  const options = { endpoint, protocol: 'http', queue: { storage, maxBytes }, retry } as const;
  const forwarder = await Forwarder.open(options, (drop) => drops.push(drop));
  closers.push(() => forwarder.close());
  return forwarder;
}

/** What another process would find. */
async function restingAfter(forwarder: Forwarder): Promise<number> {
  await forwarder.close();
  const queue = await DurableQueue.open(storage);
  const count = [...queue.entries()].length;
  await queue.close();
  return count;
}

describe('the queue on disk', () => {
  it('gives back each request as it came, also to the next process', async () => {
    const request: fc.Arbitrary<OtlpRequest> = fc.record({
      signal: fc.constantFrom('traces', 'metrics', 'logs'),
      transport: fc.constantFrom('http', 'grpc'),
      contentType: fc.constantFrom('application/x-protobuf', 'application/json'),
      contentEncoding: fc.constantFrom('gzip', undefined),
      headers: fc.dictionary(
        fc.stringMatching(/^[a-z-]{1,10}$/),
        fc.oneof(fc.string(), fc.array(fc.string())),
      ),
      body: fc.uint8Array({ maxLength: 10_000 }),
      tenant: fc.option(fc.string(), { nil: undefined }),
    });
    const requests = fc.sample(request, 50);
    const first = await openQueue();
    const entries = await Promise.all(requests.map((each, index) => first.append(each, index)));
    await first.close();
    const second = await openQueue();
    expect([...second.entries()]).toEqual(entries);
    entries.forEach(({ key }, index) => {
      const { body, ...head } = second.read(key) as OtlpRequest;
      const { body: original, ...expected } = requests[index] as OtlpRequest;
      expect(Buffer.from(body).equals(original)).toBe(true);
      expect(JSON.stringify(head)).toBe(JSON.stringify(expected));
    });
  });

  it('is for its owner only, whatever the umask, and whatever it was before', async () => {
    const umask = process.umask(0);
    closers.push(() => process.umask(umask));
    const first = await openQueue();
    await first.append(otlpRequest(), 1);
    const modes = () => readdirSync(storage).map((file) => statSync(join(storage, file)).mode & 0o777);
    expect(statSync(storage).mode & 0o777).toBe(0o700);
    expect(modes()).toEqual([0o600, 0o600, 0o600, 0o600]);
    await first.close();
    chmodSync(join(storage, 'data.mdb'), 0o644);
    await openQueue();
    expect(modes()).toEqual([0o600, 0o600, 0o600, 0o600]);
  });

  it('forgets what was removed', async () => {
    const first = await openQueue();
    const { key } = await first.append(otlpRequest(), 1);
    const kept = await first.append(otlpRequest(), 2);
    first.remove(key);
    await first.close();
    const second = await openQueue();
    expect([...second.entries()]).toEqual([kept]);
    expect(second.read(key)).toBe('gone');
  });

  it('says what is wrong with a path that it cannot use', async () => {
    const file = join(directory, 'file');
    writeFileSync(file, 'no directory');
    await expect(DurableQueue.open(file)).rejects.toThrow(
      /^the queue in .*sending_queue.storage.*cannot be opened: /,
    );
  });
});

describe('a forwarder with a durable queue', () => {
  it('accepts a request once it rests on disk, and deletes it on delivery', async () => {
    const answers: (() => void)[] = [];
    const server = await upstream((request, response) => answers.push(() => success(request, response)));
    const forwarder = await openForwarder(server.url);
    const body = Buffer.from('CANARY of what rests on disk');
    const accepted = forwarder.forward(otlpRequest({ body }));
    expect(accepted).toBeInstanceOf(Promise);
    expect(await accepted).toBeUndefined();
    expect(readFileSync(join(storage, 'data.mdb')).includes(body)).toBe(true);
    await until(() => answers.length === 1);
    answers[0]?.();
    await until(() => forwarder.stats.sent === 1);
    expect(server.received[0]?.body.equals(body)).toBe(true);
    expect(await restingAfter(forwarder)).toBe(0);
  });

  it('keeps nothing on disk without one', async () => {
    const server = await upstream();
    const forwarder = await Forwarder.open({ endpoint: server.url, protocol: 'http' });
    closers.push(() => forwarder.close());
    void forwarder.forward(otlpRequest());
    await until(() => forwarder.stats.sent === 1);
    expect(existsSync(storage)).toBe(false);
  });

  it('leaves at close what could not be delivered, and the next one delivers it', async () => {
    const mute = await upstream(() => {});
    const first = await openForwarder(mute.url);
    for (let i = 0; i < 25; i++) await first.forward(otlpRequest({ body: Buffer.from(`request ${i}`) }));
    await first.drain(50);
    await first.close();
    expect(first.stats).toMatchObject({ held: 25, queuedRequests: 0, dropped: { shutdown: 0 } });
    const server = await upstream();
    const second = await openForwarder(server.url);
    expect(second.stats.received).toBe(25);
    await second.drain(5_000);
    expect(new Set(server.received.map(({ body }) => String(body))).size).toBe(25);
    expect(await restingAfter(second)).toBe(0);
  });

  it('takes no request back that it accepted while it closed', async () => {
    const mute = await upstream(() => {});
    const forwarder = await openForwarder(mute.url);
    const accepting = Array.from({ length: 20 }, () => forwarder.forward(otlpRequest()));
    const resting = await restingAfter(forwarder);
    const answers = await Promise.all(accepting);
    expect(answers.filter((answer) => answer === undefined)).toHaveLength(resting);
    expect(forwarder.stats).toMatchObject({ received: 20, held: resting, refused: 20 - resting });
    expect(await forwarder.forward(otlpRequest())).toMatchObject({ status: 503 });
  });

  it('refuses what finds no room, so that the sender keeps it, and drops nothing', async () => {
    const mute = await upstream(() => {});
    const drops: ForwardDrop[] = [];
    const forwarder = await openForwarder(mute.url, drops, 60_000, 100_000);
    const body = Buffer.alloc(10_000);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => forwarder.forward(otlpRequest({ body }))),
    );
    const refused = answers.filter((answer) => answer !== undefined);
    expect(refused).toHaveLength(11);
    for (const { status, retryAfterSeconds } of refused) {
      expect(status).toBe(503);
      expect([1, 2, 3]).toContain(retryAfterSeconds);
    }
    expect(forwarder.stats).toMatchObject({ refused: 11, queuedRequests: 9 });
    expect(drops).toEqual([]);
    expect(await restingAfter(forwarder)).toBe(9);
  });

  it('refuses what the disk does not take', async () => {
    const forwarder = await openForwarder((await upstream()).url);
    vi.spyOn(DurableQueue.prototype, 'append').mockRejectedValue(new Error('no space left'));
    expect(await forwarder.forward(otlpRequest())).toMatchObject({ status: 503 });
    expect(forwarder.stats).toMatchObject({ refused: 1, queuedRequests: 0, queuedBytes: 0 });
  });

  it('holds no request that the disk did not take while it closed', async () => {
    const forwarder = await openForwarder((await upstream()).url);
    const full = new Error('no space left');
    vi.spyOn(DurableQueue.prototype, 'append').mockImplementation(() =>
      forwarder.close().then(() => Promise.reject(full)),
    );
    expect(await forwarder.forward(otlpRequest())).toMatchObject({ status: 503 });
    expect(forwarder.stats).toMatchObject({
      received: 1,
      refusals: { not_stored: 1 },
      held: 0,
      queuedRequests: 0,
    });
  });

  it('gives nothing up in a long outage: what was tried for too long goes to the end of the line', async () => {
    let isUp = false;
    const server = await upstream((request, response) => {
      if (isUp) success(request, response);
      else response.writeHead(503, { 'retry-after': '0' }).end();
    });
    const drops: ForwardDrop[] = [];
    const forwarder = await openForwarder(server.url, drops, 30);
    for (let i = 0; i < 20; i++) await forwarder.forward(otlpRequest({ body: Buffer.from(`request ${i}`) }));
    const tried = () => new Set(server.received.map(({ body }) => String(body))).size;
    await until(() => tried() === 20);
    isUp = true;
    await until(() => forwarder.stats.sent === 20);
    expect(drops).toEqual([]);
  });

  it('is not asked by its upstream to wait for longer than a request is tried', async () => {
    const server = await upstream((_, response) =>
      response.writeHead(503, { 'retry-after': '100000' }).end(),
    );
    const forwarder = await openForwarder(server.url, [], 30);
    await forwarder.forward(otlpRequest());
    await until(() => server.received.length > 2);
  });

  it('counts as held, and nothing else, what goes to the end of the line when it closes', async () => {
    const server = await upstream((_, response) => response.writeHead(503).end());
    const forwarder = await openForwarder(server.url, [], 1);
    await forwarder.forward(otlpRequest());
    await until(() => forwarder.stats.retries > 2);
    await forwarder.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(forwarder.stats).toMatchObject({ received: 1, held: 1, queuedRequests: 0, queuedBytes: 0 });
  });

  it('passes over a damaged entry, counts it, and deletes it', async () => {
    const root = openLmdb<Buffer, string>({ path: storage, noSubdir: false, encoding: 'binary' });
    await root.put('000-damaged-1-10', Buffer.from('not an entry'));
    await root.put('001-damaged-1-10', Buffer.alloc(0));
    await root.put('no-such-key', Buffer.from([2, 0, 0, 0, 0x7b, 0x7d]));
    await root.close();
    const drops: ForwardDrop[] = [];
    const forwarder = await openForwarder((await upstream()).url, drops);
    await forwarder.forward(otlpRequest());
    await until(() => forwarder.stats.sent === 1);
    expect(drops.map(({ reason, signal }) => [reason, signal])).toEqual(
      Array(3).fill(['unreadable', undefined]),
    );
    expect(await restingAfter(forwarder)).toBe(0);
  });

  it('delivers what rejected requests stood before, and deletes those too', async () => {
    const server = await upstream((request, response, count) => {
      if (count % 2 === 0) response.writeHead(400).end();
      else success(request, response);
    });
    const drops: ForwardDrop[] = [];
    const forwarder = await openForwarder(server.url, drops);
    for (let i = 0; i < 10; i++) await forwarder.forward(otlpRequest());
    await until(() => forwarder.stats.sent === 5 && drops.length === 5);
    expect(await restingAfter(forwarder)).toBe(0);
  });

  it('leaves out what somebody else deleted meanwhile', async () => {
    const answers: (() => void)[] = [];
    const server = await upstream((request, response) => answers.push(() => success(request, response)));
    const forwarder = await openForwarder(server.url);
    for (let i = 0; i < 12; i++) await forwarder.forward(otlpRequest());
    // Ten are being sent. The other two wait, and disappear.
    await until(() => answers.length === 10);
    const other = openLmdb<Buffer, string>({ path: storage, noSubdir: false, encoding: 'binary' });
    for (const key of [...other.getKeys()].slice(10)) await other.remove(key);
    for (const answer of answers) answer();
    await until(() => forwarder.stats.queuedRequests === 0);
    expect(forwarder.stats).toMatchObject({ received: 10, sent: 10, dropped: { unreadable: 0 } });
  });
});
