import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { backoffMillis } from '../../src/sidecar/forward/forward-backoff.ts';
import type { ForwarderOptions } from '../../src/sidecar/forward/forward-options.ts';
import { retryAfterSeconds } from '../../src/sidecar/forward/forward-retry-after.ts';
import { type ForwardDrop, Forwarder } from '../../src/sidecar/forward/forwarder.ts';
import { captureWarnings } from '../support/captured-warnings.ts';
import { otlpRequest, startHttpUpstream, success, until } from './forwarder-upstreams.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(
  answer: Parameters<typeof startHttpUpstream>[0],
  options: Partial<ForwarderOptions> = {},
) {
  const server = await startHttpUpstream(answer);
  const drops: ForwardDrop[] = [];
  const forwarder = await Forwarder.open(
    {
      endpoint: server.url,
      protocol: 'http',
      retry: { initialIntervalMillis: 10, maxIntervalMillis: 20, maxElapsedMillis: 5_000 },
      ...options,
    },
    (drop) => drops.push(drop),
  );
  closers.push(
    () => server.close(),
    () => forwarder.close(),
  );
  return { server, forwarder, drops };
}

/** received = sent + refused + dropped + queued + held */
function expectBalance({ stats }: Forwarder): void {
  const dropped = Object.values(stats.dropped).reduce((sum, count) => sum + count, 0);
  expect(stats.sent + stats.refused + dropped + stats.queuedRequests + stats.held).toBe(stats.received);
}

describe('what is tried again', () => {
  it.each([429, 502, 503, 504])('%d, until it is taken', async (status) => {
    const { server, forwarder } = await start((request, response, count) => {
      if (count < 3) response.writeHead(status).end();
      else success(request, response);
    });
    void forwarder.forward(otlpRequest({ body: Buffer.from('same bytes') }));
    await until(() => forwarder.stats.sent === 1);
    expect(server.received.map(({ body }) => String(body))).toEqual(Array(3).fill('same bytes'));
    expect(forwarder.stats).toMatchObject({ retries: 2, queuedRequests: 0, queuedBytes: 0 });
    expectBalance(forwarder);
  });

  it('connections that are cut before an answer', async () => {
    const { server, forwarder } = await start((request, response, count) => {
      if (count < 3) response.destroy();
      else success(request, response);
    });
    void forwarder.forward(otlpRequest());
    await until(() => forwarder.stats.sent === 1);
    expect(server.received).toHaveLength(3);
    expect(forwarder.stats.retries).toBe(2); // each after a pause: these connections had not rested
  });

  it.each([400, 401, 403, 404, 405, 408, 413, 415, 422, 500, 501, 505])(
    'not %d: it is final',
    async (status) => {
      const { server, forwarder, drops } = await start((_, response) => response.writeHead(status).end());
      const request = otlpRequest({ signal: 'logs' });
      void forwarder.forward(request);
      await until(() => drops.length === 1);
      expect(drops).toEqual([{ reason: 'rejected', cause: `HTTP ${status}`, signal: 'logs', bytes: 514 }]);
      expect(server.received).toHaveLength(1);
      expect(forwarder.stats.dropped.rejected).toBe(1);
      expectBalance(forwarder);
    },
  );

  it.each([300, 301, 302, 307, 308])('not a redirect %d, which is not followed either', async (status) => {
    const { server, forwarder, drops } = await start((_, response) =>
      response.writeHead(status, { location: '/elsewhere' }).end(),
    );
    void forwarder.forward(otlpRequest());
    await until(() => drops.length === 1);
    expect(drops[0]).toMatchObject({ reason: 'rejected', cause: `HTTP ${status}` });
    expect(server.received.map(({ path }) => path)).toEqual(['/v1/traces']);
  });
});

describe('Retry-After', () => {
  it.each([
    ['seconds', () => '1'],
    ['a date', () => new Date(Date.now() + 1_900).toUTCString()],
  ])('in %s is waited for', async (_, header) => {
    const { server, forwarder } = await start((request, response, count) => {
      if (count === 1) response.writeHead(503, { 'retry-after': header() }).end();
      else success(request, response);
    });
    void forwarder.forward(otlpRequest());
    await until(() => forwarder.stats.sent === 1);
    const [first, second] = server.received;
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(850);
  });

  it('beyond the time there is drops the request at once, with its reason', async () => {
    const { forwarder, drops } = await start((_, response) =>
      response.writeHead(429, { 'retry-after': '100000' }).end(),
    );
    void forwarder.forward(otlpRequest());
    await until(() => drops.length === 1);
    expect(drops[0]).toMatchObject({ reason: 'retry_expired', cause: 'HTTP 429' });
    expectBalance(forwarder);
  });

  it('is not cut short by a drain', async () => {
    const { server, forwarder } = await start((request, response, count) => {
      if (count === 1) response.writeHead(503, { 'retry-after': '1' }).end();
      else success(request, response);
    });
    void forwarder.forward(otlpRequest());
    await until(() => forwarder.stats.retries === 1);
    await forwarder.drain(5_000);
    const [first, second] = server.received;
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(950);
  });

  const now = Date.parse('2026-11-20T12:00:00Z');
  it.each([
    [undefined, undefined],
    ['', undefined],
    ['0', 0],
    [' 17 ', 17],
    ['-1', undefined],
    ['1.5', undefined],
    ['soon', undefined],
    ['Fri, 20 Nov 2026 12:00:05 GMT', 5],
    ['Friday, 20-Nov-26 12:00:05 GMT', 5],
    ['Fri Nov 20 12:00:05 2026 GMT', 5],
    ['Fri, 20 Nov 2026 11:00:00 GMT', 0],
    ['2026', 2_026],
    ['99999999999999999999', Number.MAX_SAFE_INTEGER],
  ])('%j reads as %s', (header, seconds) => {
    expect(retryAfterSeconds(header, now)).toBe(seconds);
  });
});

describe('backoff', () => {
  it('grows by half up to its bound, give or take half', () => {
    const options = { initialIntervalMillis: 1_000, maxIntervalMillis: 30_000 };
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (n, random) => {
          const wait = backoffMillis(n, options, random);
          const middle = Math.min(1_000 * 1.5 ** (n - 1), 30_000);
          expect(wait).toBeGreaterThanOrEqual(middle * 0.5);
          expect(wait).toBeLessThanOrEqual(middle * 1.5);
        },
      ),
    );
  });

  it('is spread from half of it to half as much again', () => {
    const options = { initialIntervalMillis: 1_000, maxIntervalMillis: 2_000 };
    const waits = (random: number) => [1, 2, 3, 500].map((n) => backoffMillis(n, options, random));
    expect(waits(0)).toEqual([500, 750, 1_000, 1_000]);
    expect(waits(0.5)).toEqual([1_000, 1_500, 2_000, 2_000]);
    expect(waits(1)).toEqual([1_500, 2_250, 3_000, 3_000]);
  });

  it('ends when its time is over', async () => {
    const retry = { initialIntervalMillis: 10, maxIntervalMillis: 20, maxElapsedMillis: 200 };
    const { server, forwarder, drops } = await start((_, response) => response.writeHead(503).end(), {
      retry,
    });
    const began = performance.now();
    void forwarder.forward(otlpRequest());
    await until(() => drops.length === 1);
    expect(drops[0]).toMatchObject({ reason: 'retry_expired', cause: 'HTTP 503', signal: 'traces' });
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(server.received.length).toBeGreaterThan(4);
    expectBalance(forwarder);
  });
});

describe('the queue', () => {
  it('is bounded in bytes: what finds no room is dropped, and counted', async () => {
    const { forwarder, drops } = await start(() => {}, { queue: { maxBytes: 100_000 } });
    for (let i = 0; i < 20; i++) void forwarder.forward(otlpRequest({ body: Buffer.alloc(10_000) }));
    const { queuedBytes, queuedRequests, dropped } = forwarder.stats;
    expect(queuedRequests).toBe(9);
    expect(queuedBytes).toBeLessThanOrEqual(100_000);
    expect(dropped.queue_full).toBe(11);
    expect(drops.every(({ reason, cause }) => reason === 'queue_full' && cause === '')).toBe(true);
    expectBalance(forwarder);
  });

  it('counts the header fields of a request too', async () => {
    const { forwarder } = await start(() => {});
    void forwarder.forward(otlpRequest());
    const { queuedBytes } = forwarder.stats;
    void forwarder.forward(otlpRequest({ headers: { 'x-long': 'y'.repeat(1_000), 'x-many': ['1', '22'] } }));
    const [long, many] = ['x-long'.length + 1_000, 'x-many'.length + '1,22'.length];
    expect(forwarder.stats.queuedBytes).toBe(2 * queuedBytes + long + many);
  });

  it('lets one request in, however large it is', async () => {
    const { forwarder } = await start(success, { queue: { maxBytes: 1_000 } });
    void forwarder.forward(otlpRequest({ body: Buffer.alloc(100_000) }));
    await until(() => forwarder.stats.sent === 1);
  });

  it('is worked off by ten consumers, and never more', async () => {
    let open = 0;
    let most = 0;
    const { forwarder } = await start((request, response) => {
      most = Math.max(most, ++open);
      setTimeout(() => {
        open--;
        success(request, response);
      }, 5);
    });
    for (let i = 0; i < 100; i++) void forwarder.forward(otlpRequest());
    await until(() => forwarder.stats.sent === 100);
    expect(most).toBe(10);
  });

  it('always balances, whatever the upstream does', async () => {
    let answers: number[] = [];
    const { forwarder } = await start(
      (request, response) => {
        const status = answers.pop() ?? 200;
        if (status === 0) response.destroy();
        else if (status === 200) success(request, response);
        else response.writeHead(status).end();
      },
      {
        queue: { maxBytes: 4_000, consumers: 3 },
        retry: { initialIntervalMillis: 1, maxIntervalMillis: 2, maxElapsedMillis: 8 },
      },
    );
    const status = fc.constantFrom(0, 200, 200, 400, 429, 503, 307);
    await fc.assert(
      fc.asyncProperty(fc.array(status, { maxLength: 40 }), fc.nat(12), async (scripted, count) => {
        answers = [...scripted];
        for (let i = 0; i < count; i++) {
          void forwarder.forward(otlpRequest());
          expectBalance(forwarder);
        }
        await forwarder.drain(2_000);
        expectBalance(forwarder);
        expect(forwarder.stats).toMatchObject({ queuedRequests: 0, queuedBytes: 0 });
      }),
      { numRuns: 40 },
    );
    expect(forwarder.stats.sent).toBeGreaterThan(0);
  });
});

describe('the end', () => {
  it('drain waits for all that is queued', async () => {
    const { forwarder } = await start((request, response) =>
      setTimeout(() => success(request, response), 20),
    );
    for (let i = 0; i < 30; i++) void forwarder.forward(otlpRequest());
    await forwarder.drain(5_000);
    expect(forwarder.stats).toMatchObject({ sent: 30, queuedRequests: 0 });
  });

  it('drain tries at once what waits for its next try', async () => {
    let isUp = false;
    const retry = { initialIntervalMillis: 60_000, maxIntervalMillis: 60_000 };
    const { forwarder } = await start(
      (request, response) => (isUp ? success(request, response) : response.writeHead(503).end()),
      { retry },
    );
    void forwarder.forward(otlpRequest());
    await until(() => forwarder.stats.retries === 1);
    isUp = true;
    await forwarder.drain(2_000);
    expect(forwarder.stats.sent).toBe(1);
  });

  it('drain ends in time; close drops the rest, with its reason, and what comes later', async () => {
    const told = captureWarnings();
    closers.push(() => told.stop());
    const { forwarder, drops } = await start(() => {});
    for (let i = 0; i < 15; i++) void forwarder.forward(otlpRequest());
    const began = performance.now();
    await forwarder.drain(100);
    await Promise.all([forwarder.close(), forwarder.close()]);
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(forwarder.forward(otlpRequest())).toBeUndefined();
    expect((await forwarder.forwardSync(otlpRequest())).status).toBe(503);
    expect(drops.map(({ reason }) => reason)).toEqual(Array(16).fill('shutdown'));
    expect(told.lines).toEqual([]); // whoever closes tells of all of them in one sentence
    expect(forwarder.stats).toMatchObject({ sent: 0, queuedRequests: 0, queuedBytes: 0, refused: 1 });
    expectBalance(forwarder);
  });

  it('what close gave up is no failure of the upstream, and is not tried again', async () => {
    const { server, forwarder } = await start(() => {});
    for (let i = 0; i < 3; i++) void forwarder.forward(otlpRequest());
    await until(() => server.received.length === 3);
    await forwarder.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(forwarder.isFailing).toBe(false);
    expect(forwarder.stats).toMatchObject({ retries: 0, dropped: { shutdown: 3, retry_expired: 0 } });
    expectBalance(forwarder);
  });

  it('an onDrop that throws harms nothing', async () => {
    const server = await startHttpUpstream((_, response) => response.writeHead(400).end());
    const forwarder = await Forwarder.open({ endpoint: server.url, protocol: 'http' }, () => {
      throw new Error('broken');
    });
    closers.push(
      () => server.close(),
      () => forwarder.close(),
    );
    void forwarder.forward(otlpRequest());
    await until(() => forwarder.stats.dropped.rejected === 1);
    void forwarder.forward(otlpRequest());
    await until(() => forwarder.stats.dropped.rejected === 2);
  });
});
