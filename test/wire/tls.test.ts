import { once } from 'node:events';
import { mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { request } from 'node:https';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type PeerCertificate, type SecureContextOptions } from 'node:tls';
import { fileURLToPath } from 'node:url';
import * as grpc from '@grpc/grpc-js';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { OtlpGrpcReceiver } from '../../src/source/receiver/otlp-grpc.ts';
import { OtlpHttpReceiver } from '../../src/source/receiver/otlp-http.ts';
import type { BoundAddress, ReceiverOptions } from '../../src/source/receiver/receiver-options.ts';
import { captureWarnings } from '../support/captured-warnings.ts';
import { EXPORT } from './grpc-client.ts';
import { JSON_TYPE, RawConnection } from './http-client.ts';
import { receiving } from './receiving.ts';

const FIXTURES = fileURLToPath(new URL('../fixtures/tls/', import.meta.url));
const pem = (name: string) => readFileSync(join(FIXTURES, name));
const CA = pem('authority.crt');
const CLIENT = { cert: pem('client.crt'), key: pem('client.key') };
const STRANGER = { cert: pem('stranger.crt'), key: pem('stranger.key') };

let folder = '';

/** Puts a pair of files where the receiver looks, as an administrator would. */
function install(name: string): void {
  for (const end of ['crt', 'key']) writeFileSync(join(folder, `tls.${end}`), pem(`${name}.${end}`));
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spanplan-tls-'));
  install('server');
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

const RECEIVERS = { http: OtlpHttpReceiver, grpc: OtlpGrpcReceiver } as const;
type Transport = keyof typeof RECEIVERS;

function receive(transport: Transport, tls: Partial<ReceiverOptions['tls']> = {}) {
  return receiving(RECEIVERS[transport], {
    headersTimeoutMillis: 500,
    tls: {
      certFile: join(folder, 'tls.crt'),
      keyFile: join(folder, 'tls.key'),
      reloadIntervalMillis: 20,
      ...tls,
    },
  });
}

/** Sends an empty request. @returns whether it was taken. */
const send: Record<Transport, (address: BoundAddress, client?: SecureContextOptions) => Promise<boolean>> = {
  http: (address, client) =>
    new Promise((resolve) => {
      const options = { ...address, servername: 'localhost', ca: CA, agent: false, ...client };
      const sent = request(
        { ...options, method: 'POST', path: '/v1/traces', headers: JSON_TYPE },
        (response) => resolve(response.resume().statusCode === 200),
      );
      sent.on('error', () => resolve(false)).end('{}');
    }),
  grpc: ({ host, port }, { key, cert } = {}) =>
    new Promise((resolve) => {
      const pair = [key ? Buffer.from(String(key)) : null, cert ? Buffer.from(String(cert)) : null] as const;
      const client = new grpc.Client(`${host}:${port}`, grpc.credentials.createSsl(CA, ...pair), {
        'grpc.ssl_target_name_override': 'localhost',
      });
      const bytes = (value: Buffer) => value;
      const deadline = Date.now() + 5_000;
      client.makeUnaryRequest(
        EXPORT,
        bytes,
        bytes,
        Buffer.alloc(0),
        new grpc.Metadata(),
        { deadline },
        (error) => {
          client.close();
          resolve(error === null);
        },
      );
    }),
};

async function certificateOf(address: BoundAddress): Promise<PeerCertificate> {
  const socket = connect({ ...address, servername: 'localhost', ca: CA, ALPNProtocols: ['h2', 'http/1.1'] });
  await once(socket, 'secureConnect');
  const certificate = socket.getPeerCertificate();
  socket.destroy();
  return certificate;
}

const nameOf = async (address: BoundAddress) => (await certificateOf(address)).subject.CN;

describe.each(['http', 'grpc'] as const)('TLS over %s', (transport) => {
  it('takes requests', async () => {
    const { sink, address } = await receive(transport);
    expect(await send[transport](address)).toBe(true);
    expect(sink.requests).toHaveLength(1);
  });

  it('with an authority for senders lets in whom that vouches for, and nobody else', async () => {
    const { sink, address } = await receive(transport, { clientCaFile: join(FIXTURES, 'authority.crt') });
    expect(await send[transport](address, CLIENT)).toBe(true);
    expect(await send[transport](address)).toBe(false);
    expect(await send[transport](address, STRANGER)).toBe(false);
    expect(sink.requests).toHaveLength(1);
  });

  it('uses a new certificate as soon as its files change, and keeps the old one where that is broken', async () => {
    const warnings = captureWarnings();
    onTestFinished(() => warnings.stop());
    const { address } = await receive(transport);
    expect(await nameOf(address)).toBe('server');

    install('server-renewed');
    await expect.poll(() => nameOf(address)).toBe('server-renewed');

    writeFileSync(join(folder, 'tls.crt'), 'no certificate');
    await expect.poll(() => warnings.lines.join()).toContain('stays in use');
    expect(warnings.lines.join()).toContain(join(folder, 'tls.crt'));
    expect(await nameOf(address)).toBe('server-renewed');
    const told = warnings.lines.length;

    rmSync(join(folder, 'tls.key'));
    await expect.poll(() => warnings.lines.length).toBe(told + 1);
    await new Promise((done) => setTimeout(done, 100));
    expect(warnings.lines).toHaveLength(told + 1);
    expect(await send[transport](address)).toBe(true);

    install('server');
    await expect.poll(() => nameOf(address)).toBe('server');
  });

  it('sees a certificate that is replaced by way of a symbolic link', async () => {
    for (const name of ['server', 'server-renewed']) {
      for (const end of ['crt', 'key']) writeFileSync(join(folder, `${name}.${end}`), pem(`${name}.${end}`));
    }
    const link = (name: string) => {
      for (const end of ['crt', 'key']) {
        symlinkSync(join(folder, `${name}.${end}`), join(folder, `new.${end}`));
        renameSync(join(folder, `new.${end}`), join(folder, `link.${end}`));
      }
    };
    link('server');
    const files = { certFile: join(folder, 'link.crt'), keyFile: join(folder, 'link.key') };
    const { address } = await receive(transport, files);
    link('server-renewed');
    await expect.poll(() => nameOf(address)).toBe('server-renewed');
  });

  it.each([
    [
      'a missing file',
      { certFile: '/nowhere/tls.crt' },
      /the file \/nowhere\/tls\.crt cannot be read \(ENOENT\)/,
    ],
    ['a key of another certificate', { keyFile: join(FIXTURES, 'client.key') }, /cannot be used together/],
    [
      'an authority that is none',
      { clientCaFile: join(FIXTURES, 'README.md') },
      /holds no certificate in PEM/,
    ],
  ])('with %s does not start, and says why', async (_, tls, reason) => {
    await expect(receive(transport, tls)).rejects.toThrow(reason);
  });

  it('is not TLS 1.1', async () => {
    const { address } = await receive(transport);
    const socket = connect({
      ...address,
      servername: 'localhost',
      ca: CA,
      maxVersion: 'TLSv1.1',
      ciphers: 'ALL:@SECLEVEL=0',
    });
    await expect(once(socket, 'secureConnect')).rejects.toThrow();
  });

  it.each([
    ['plain text', Buffer.from('POST /v1/traces HTTP/1.1\r\n\r\n')],
    ['half a handshake', Buffer.from('160301020001000001fc0303', 'hex')],
    ['nothing', Buffer.alloc(0)],
  ])('ends a connection of %s in time', async (_, hello) => {
    const { address } = await receive(transport);
    const socket = createConnection(address);
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write(hello);
    await new Promise((closed) => socket.resume().on('close', closed));
    expect(await send[transport](address)).toBe(true);
  });
});

describe('a sender that asks for the wrong protocol', () => {
  it('is turned away', async () => {
    const { address } = await receive('grpc');
    const socket = connect({ ...address, servername: 'localhost', ca: CA, ALPNProtocols: ['http/1.1'] });
    socket.on('error', () => {});
    await new Promise((closed) => socket.resume().on('close', closed));
    const session = connectHttp2(`https://localhost:${address.port}`, { ca: CA });
    await once(session, 'connect');
    session.destroy();
  });

  it('is told so where it speaks plain HTTP to no TLS at all', async () => {
    const { address } = await receiving(OtlpHttpReceiver);
    const connection = await RawConnection.open(address);
    connection.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    expect(await connection.until('another port')).toContain('400 Bad Request');
    connection.close();
  });
});
