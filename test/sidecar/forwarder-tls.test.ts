import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { ServerCredentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ForwardTls } from '../../src/sidecar/forward-upstream.ts';
import { Forwarder } from '../../src/sidecar/forwarder.ts';
import { otlpRequest, startGrpcUpstream } from './forwarder-upstreams.ts';

let directory: string;
let ca: Buffer;
let cert: Buffer;
let key: Buffer;

/** One certificate signs itself, and serves as server, client and authority. */
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'spanplan-tls-'));
  const [keyFile, certFile] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...made, ...names, '-keyout', keyFile, '-out', certFile], {
    stdio: 'ignore',
  });
  cert = readFileSync(certFile);
  key = readFileSync(keyFile);
  ca = cert;
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

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
    const server = createServer(
      { cert, key, ca, requestCert: true, rejectUnauthorized: false },
      (request, response) => {
        names.push((request.socket as TLSSocket).getPeerCertificate().subject?.CN);
        response.writeHead(200).end();
      },
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const endpoint = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      expect(await statusOver('http', endpoint, {})).toBe(503);
      expect(await statusOver('http', endpoint, { ca })).toBe(200);
      expect(await statusOver('http', endpoint, { insecureSkipVerify: true })).toBe(200);
      expect(await statusOver('http', endpoint, { ca, cert, key })).toBe(200);
      expect(names).toEqual([undefined, undefined, 'localhost']);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

describe('TLS over gRPC', () => {
  it('is what an endpoint without a scheme gets; and mutual where the upstream asks', async () => {
    const credentials = ServerCredentials.createSsl(ca, [{ cert_chain: cert, private_key: key }], true);
    const server = await startGrpcUpstream(undefined, 0, credentials);
    const endpoint = `localhost:${server.port}`;
    try {
      expect(await statusOver('grpc', endpoint, { ca, cert, key })).toBe(200);
      expect(await statusOver('grpc', `https://${endpoint}`, { cert, key, insecureSkipVerify: true })).toBe(
        200,
      );
      expect(await statusOver('grpc', endpoint, { cert, key })).toBe(503);
      expect(await statusOver('grpc', endpoint, { ca })).toBe(503);
      expect(await statusOver('grpc', endpoint, { ca, cert, key, insecure: true })).not.toBe(200);
    } finally {
      server.close();
    }
  });
});

describe('certificates that cannot be used', () => {
  it.each([
    ['no PEM', () => ({ cert: 'junk', key: 'junk' })],
    ['an authority that is no certificate', () => ({ ca: 'junk' })],
    ['a certificate without its key', () => ({ cert })],
    ['a key without its certificate', () => ({ key })],
  ])('are refused at once, and never shown: %s', async (_, tls) => {
    const opening = Forwarder.open({ protocol: 'http', endpoint: 'https://localhost:1', tls: tls() });
    await expect(opening).rejects.toThrow(
      /^the certificates for the endpoint.*: expected (?!.*(junk|BEGIN))/,
    );
  });
});
