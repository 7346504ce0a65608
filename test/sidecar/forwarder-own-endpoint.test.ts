import { hostname, networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { isOwnEndpoint } from '../../src/sidecar/forward/forward-own-endpoint.ts';
import { Forwarder } from '../../src/sidecar/forward/forwarder.ts';

const loopback = [
  { host: '127.0.0.1', port: 4318 },
  { host: '127.0.0.1', port: 4317 },
];
const everywhere = [{ host: '0.0.0.0', port: 4318 }];

describe('an endpoint is one of our own listeners', () => {
  it.each([
    'http://127.0.0.1:4318',
    'http://localhost:4318',
    'http://LOCALHOST:4318/otlp',
    'http://localhost.:4318',
    'http://otel.localhost:4318',
    'http://127.0.0.2:4318',
    'http://127.1:4318',
    'http://0x7f000001:4318',
    'http://2130706433:4318',
    'http://0.0.0.0:4318',
    'http://0:4318',
    'http://[::1]:4318',
    'http://[::]:4318',
    'http://[::ffff:127.0.0.1]:4318',
    'https://user:pw@localhost:4318',
    'localhost:4317',
    '[::1]:4317',
  ])('%s', (endpoint) => {
    expect(isOwnEndpoint(endpoint, loopback)).toBe(true);
    expect(isOwnEndpoint(endpoint.replace('4317', '4318'), everywhere)).toBe(true);
  });

  it('by an address or the name of this machine, where we listen on all', () => {
    const own = Object.values(networkInterfaces()).flatMap((list = []) => list.map(({ address }) => address));
    expect(own.length).toBeGreaterThan(0);
    for (const address of own.filter((address) => !address.includes('%'))) {
      const host = address.includes(':') ? `[${address}]` : address;
      expect(isOwnEndpoint(`http://${host}:4318`, everywhere)).toBe(true);
    }
    expect(isOwnEndpoint(`http://${hostname()}:4318`, everywhere)).toBe(true);
    expect(isOwnEndpoint(`http://${hostname()}:4318`, [{ host: '::', port: 4318 }])).toBe(true);
  });

  it('by the port that a scheme stands for', () => {
    expect(isOwnEndpoint('http://localhost', [{ host: 'localhost', port: 80 }])).toBe(true);
    expect(isOwnEndpoint('https://localhost', [{ host: '::1', port: 443 }])).toBe(true);
  });

  it.each([
    'http://127.0.0.1:4319',
    'http://localhost',
    'http://collector:4318',
    'http://localhost.example:4318',
    'http://192.0.2.1:4318',
    'http://[2001:db8::1]:4318',
    'collector:4317',
  ])('not %s', (endpoint) => {
    expect(isOwnEndpoint(endpoint, [...loopback, ...everywhere])).toBe(false);
  });

  it('and refused with a sentence', async () => {
    for (const [endpoint, protocol] of [
      ['http://localhost:4318', 'http'],
      ['localhost:4317', 'grpc'],
    ] as const) {
      const opening = Forwarder.open({ endpoint, protocol, ownListeners: loopback });
      await expect(opening).rejects.toThrow(/where this process listens itself.*give the place where/);
    }
  });
});
