import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { ServerCredentials } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import type { ForwardTls } from '../../src/sidecar/forward/forward-upstream.ts';
import { Forwarder } from '../../src/sidecar/forward/forwarder.ts';
import { otlpRequest, startGrpcUpstream } from './forwarder-upstreams.ts';

const pem = (name: string) => readFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url));
const ca = pem('authority.crt');
const server = { cert: pem('server.crt'), key: pem('server.key') };
const client = { cert: pem('client.crt'), key: pem('client.key') };

async function statusOver(protocol: 'http' | 'grpc', endpoint: string, tls: ForwardTls): Promise<number> {
  const forwarder = await Forwarder.open({ protocol, endpoint, tls, timeoutMillis: 3_000 });
  try {
    return (await forwarder.forwardSync(otlpRequest())).status;
  } finally {
    await forwarder.close();
  }
}

describe('TLS over HTTP', () => {
  it('trusts a given authority or nobody unknown, and shows a certificate where it has one', async () => {
    const names: unknown[] = [];
    const upstream = createServer(
      { ...server, ca, requestCert: true, rejectUnauthorized: false },
      (request, response) => {
        names.push((request.socket as TLSSocket).getPeerCertificate().subject?.CN);
        response.writeHead(200).end();
      },
    );
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    const endpoint = `https://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
    try {
      expect(await statusOver('http', endpoint, {})).toBe(503);
      expect(await statusOver('http', endpoint, { ca })).toBe(200);
      expect(await statusOver('http', endpoint, { insecureSkipVerify: true })).toBe(200);
      expect(await statusOver('http', endpoint, { ca, ...client })).toBe(200);
      expect(names).toEqual([undefined, undefined, 'client']);
    } finally {
      upstream.closeAllConnections();
      upstream.close();
    }
  });
});

describe('TLS over gRPC', () => {
  it('is what an endpoint without a scheme gets; and mutual where the upstream asks', async () => {
    const credentials = ServerCredentials.createSsl(
      ca,
      [{ cert_chain: server.cert, private_key: server.key }],
      true,
    );
    const upstream = await startGrpcUpstream(undefined, 0, credentials);
    const endpoint = `localhost:${upstream.port}`;
    try {
      expect(await statusOver('grpc', endpoint, { ca, ...client })).toBe(200);
      expect(await statusOver('grpc', `https://${endpoint}`, { ...client, insecureSkipVerify: true })).toBe(
        200,
      );
      expect(await statusOver('grpc', endpoint, { ...client })).toBe(503);
      expect(await statusOver('grpc', endpoint, { ca })).toBe(503);
      expect(await statusOver('grpc', endpoint, { ca, ...client, insecure: true })).not.toBe(200);
    } finally {
      upstream.close();
    }
  });
});

describe('certificates that cannot be used', () => {
  it.each([
    ['no PEM', () => ({ cert: 'junk', key: 'junk' })],
    ['an authority that is no certificate', () => ({ ca: 'junk' })],
    ['a certificate without its key', () => ({ cert: client.cert })],
    ['a key without its certificate', () => ({ key: client.key })],
  ])('are refused at once, and never shown: %s', async (_, tls) => {
    const opening = Forwarder.open({ protocol: 'http', endpoint: 'https://localhost:1', tls: tls() });
    await expect(opening).rejects.toThrow(
      /^the certificates for the endpoint.*: expected (?!.*(junk|BEGIN))/,
    );
  });
});
