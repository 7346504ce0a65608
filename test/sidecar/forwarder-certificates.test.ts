import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import { type AddressInfo, createConnection, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { ServerCredentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/sidecar/config/config.ts';
import { Forwarder } from '../../src/sidecar/forward/forwarder.ts';
import { Forwarding } from '../../src/sidecar/forward/forwarding.ts';
import { captureWarnings } from '../support/captured-warnings.ts';
import { otlpRequest, startGrpcUpstream, until } from './forwarder-upstreams.ts';

const FIXTURES = fileURLToPath(new URL('../fixtures/tls/', import.meta.url));
const pem = (name: string) => readFileSync(join(FIXTURES, name));

let folder = '';
const closers: (() => unknown)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spanplan-forward-tls-'));
  closers.push(() => rmSync(folder, { recursive: true }));
});

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Puts a file where the forwarder looks, as an administrator would. */
function install(file: 'ca.crt' | 'client.crt' | 'client.key', name: string): void {
  copyFileSync(join(FIXTURES, name), join(folder, file));
}

function installPair(name: string): void {
  install('client.crt', `${name}.crt`);
  install('client.key', `${name}.key`);
}

async function openForwarding(exporter: 'otlphttp' | 'otlp', endpoint: string): Promise<Forwarding> {
  const file = (name: string) => join(folder, name);
  const tls = `{ca_file: ${file('ca.crt')}, cert_file: ${file('client.crt')}, key_file: ${file('client.key')}}`;
  const retry = '{initial_interval: 20ms, max_interval: 50ms}';
  const text = `exporters: {memory: , ${exporter}: {endpoint: "${endpoint}", tls: ${tls}, retry_on_failure: ${retry}}}`;
  const config = readConfig({ file: { name: 'test.yaml', text }, flags: {}, env: {} });
  const forwarding = await Forwarding.open(config, 20);
  if (forwarding === undefined) throw new Error('nothing is forwarded');
  closers.push(() => forwarding.close());
  return forwarding;
}

/** An upstream that wants a certificate of the authority: what it took, and what answers a request. */
interface StrictUpstream {
  readonly endpoint: string;
  readonly taken: () => number;
  /** While true, requests are taken and not answered. */
  isHolding: boolean;
  answerHeld(): void;
}

/** The one over HTTP also knows how many connections it has. */
interface StrictHttpUpstream extends StrictUpstream {
  readonly connections: () => number;
}

const STARTERS = {
  async otlphttp(): Promise<StrictHttpUpstream> {
    const held: (() => void)[] = [];
    let taken = 0;
    const options = {
      cert: pem('server.crt'),
      key: pem('server.key'),
      ca: pem('authority.crt'),
      requestCert: true,
      keepAliveTimeout: 0, // connections at rest are not for the upstream to end
    };
    const server = createServer({ ...options, rejectUnauthorized: true }, (request, response) => {
      taken++;
      if (!(request.socket as TLSSocket).authorized) throw new Error('a stranger got in');
      request.resume();
      if (upstream.isHolding) held.push(() => response.end());
      else response.end();
    });
    let connections = 0;
    server.on('secureConnection', (socket) => {
      connections++;
      socket.once('close', () => connections--);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closers.push(() => {
      server.closeAllConnections();
      server.close();
    });
    const endpoint = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const answerHeld = () => held.splice(0).forEach((answer) => void answer());
    const counts = { taken: () => taken, connections: () => connections };
    const upstream = { endpoint, ...counts, isHolding: false, answerHeld };
    return upstream;
  },

  async otlp(): Promise<StrictUpstream> {
    const held: (() => void)[] = [];
    const pair = { cert_chain: pem('server.crt'), private_key: pem('server.key') };
    const server = await startGrpcUpstream(
      (_, answer) => {
        const succeed = () => answer(null, Buffer.alloc(0));
        if (upstream.isHolding) held.push(succeed);
        else succeed();
      },
      0,
      ServerCredentials.createSsl(pem('authority.crt'), [pair], true),
    );
    closers.push(() => server.close());
    const answerHeld = () => held.splice(0).forEach((answer) => void answer());
    const upstream = {
      endpoint: `https://localhost:${server.port}`,
      taken: () => server.received.length,
      isHolding: false,
      answerHeld,
    };
    return upstream;
  },
};

describe.each(['otlphttp', 'otlp'] as const)('certificates of exporters.%s', (exporter) => {
  it('are used as soon as their files change, for what waits too', async () => {
    install('ca.crt', 'other-authority.crt');
    installPair('stranger');
    const upstream = await STARTERS[exporter]();
    const forwarding = await openForwarding(exporter, upstream.endpoint);
    void forwarding.pass(otlpRequest());
    await until(() => forwarding.stats.retries > 1);

    install('ca.crt', 'authority.crt'); // now the upstream is trusted, but does not trust us
    const { retries } = forwarding.stats;
    await until(() => forwarding.stats.retries > retries + 3);
    expect(upstream.taken()).toBe(0);

    installPair('client');
    await until(() => forwarding.stats.sent === 1);
    expect(upstream.taken()).toBe(1);
  });

  it('change without disturbing what is in flight, which ends on its connection', async () => {
    install('ca.crt', 'authority.crt');
    installPair('client');
    const upstream = await STARTERS[exporter]();
    const forwarding = await openForwarding(exporter, upstream.endpoint);
    upstream.isHolding = true;
    for (let i = 0; i < 5; i++) void forwarding.pass(otlpRequest());
    await until(() => upstream.taken() === 5);
    installPair('stranger');
    upstream.isHolding = false;
    // New connections show the new certificate, which this upstream refuses.
    void forwarding.pass(otlpRequest());
    await until(() => {
      if (forwarding.stats.retries === 0 && forwarding.stats.sent > 0) void forwarding.pass(otlpRequest());
      return forwarding.stats.retries > 0;
    });
    const { sent } = forwarding.stats;
    const taken = upstream.taken();
    upstream.answerHeld();
    await until(() => forwarding.stats.sent === sent + 5);
    expect(upstream.taken()).toBe(taken); // none of the five was sent again
    installPair('client');
    await until(() => forwarding.stats.queuedRequests === 0);
    expect(forwarding.stats).toMatchObject({ received: forwarding.stats.sent, refused: 0 });
  });

  it('change while a connection is being made, which nobody notices', async () => {
    const upstream = await STARTERS[exporter]();
    const { port } = new URL(upstream.endpoint);
    let connections = 0;
    const slow = createTcpServer((socket) => {
      connections++;
      const onward = createConnection(Number(port), '127.0.0.1');
      for (const each of [socket, onward]) each.on('error', () => {});
      closers.push(() => void [socket, onward].forEach((each) => void each.destroy()));
      onward.pipe(socket);
      setTimeout(() => socket.pipe(onward), 300);
    });
    await once(slow.listen(0, '127.0.0.1'), 'listening');
    closers.push(() => slow.close());
    const tls = { ca: pem('authority.crt'), cert: pem('client.crt'), key: pem('client.key') };
    const endpoint = `https://localhost:${(slow.address() as AddressInfo).port}`;
    const protocol = exporter === 'otlp' ? 'grpc' : 'http';
    const forwarder = await Forwarder.open({ protocol, endpoint, tls });
    closers.push(() => forwarder.close());
    const answer = forwarder.forwardSync(otlpRequest());
    await until(() => connections === 1);
    forwarder.renew({ ...tls, cert: pem('stranger.crt'), key: pem('stranger.key') });
    expect((await answer).status).toBe(200);
    expect((await forwarder.forwardSync(otlpRequest())).status).toBe(503);
    expect(connections).toBeGreaterThan(1);
  });

  it('that are half written stay unused', async () => {
    const warnings = captureWarnings();
    closers.push(() => warnings.stop());
    install('ca.crt', 'authority.crt');
    installPair('client');
    const upstream = await STARTERS[exporter]();
    const forwarding = await openForwarding(exporter, upstream.endpoint);
    install('client.crt', 'stranger.crt'); // its key is still to come
    await until(() => warnings.lines.some((line) => line.includes('stays in use')));
    void forwarding.pass(otlpRequest());
    await until(() => forwarding.stats.sent === 1);
    expect(upstream.taken()).toBe(1);
    expect(forwarding.stats.retries).toBe(0);
  });
});

describe('connections of exporters.otlphttp', () => {
  it('made before certificates changed end: at once where they rest, else with their request', async () => {
    const upstream = await STARTERS.otlphttp();
    const tls = { ca: pem('authority.crt'), cert: pem('client.crt'), key: pem('client.key') };
    const forwarder = await Forwarder.open({ protocol: 'http', endpoint: upstream.endpoint, tls });
    closers.push(() => forwarder.close());
    upstream.isHolding = true;
    const three = Array.from({ length: 3 }, () => forwarder.forwardSync(otlpRequest()));
    await until(() => upstream.taken() === 3);
    upstream.answerHeld();
    await Promise.all(three);
    const last = forwarder.forwardSync(otlpRequest());
    await until(() => upstream.taken() === 4);
    expect(upstream.connections()).toBe(3);
    forwarder.renew(tls);
    await until(() => upstream.connections() === 1);
    upstream.answerHeld();
    expect((await last).status).toBe(200);
    await until(() => upstream.connections() === 0);
  });
});
