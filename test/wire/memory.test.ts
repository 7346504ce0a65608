import { once } from 'node:events';
import { deflateSync, gzipSync } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import type { BoundAddress } from '../../src/source/receiver/receiver-options.ts';
import { call, GZIP, grpcClient } from './grpc-client.ts';
import { JSON_TYPE, PROTOBUF_TYPE, post, RawConnection } from './http-client.ts';
import { type MemoryProcess, startMemoryProcess } from './memory-process.ts';

const MIB = 2 ** 20;
const LIMIT = 64 * MIB;

/** The most memory the receiver has had so far. */
async function peakOf(child: MemoryProcess): Promise<number> {
  const { peak, held } = await child.read();
  expect(held).toBe(0);
  return peak;
}

/** 1,029 bytes become of each. */
const bomb = Buffer.alloc(100 * MIB);

async function callGrpc(address: BoundAddress, body: Buffer): Promise<number | undefined> {
  return (await call(grpcClient(address, GZIP), body)).error?.code;
}

describe('a bomb of 1,000 to 1', () => {
  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
  ] as const)(
    'in %s over HTTP is answered 413, and costs at most twice the limit',
    async (encoding, deflate) => {
      const child = await startMemoryProcess({ transport: 'http', limit: LIMIT });
      const { address } = child;
      const headers = { ...PROTOBUF_TYPE, 'content-encoding': encoding };
      expect((await post(address, { headers, body: deflate(Buffer.alloc(1)) })).status).toBe(400);
      const before = await peakOf(child);
      expect((await post(address, { headers, body: deflate(bomb) })).status).toBe(413);
      expect((await peakOf(child)) - before).toBeLessThan(2 * LIMIT);
    },
  );

  it('over gRPC is answered RESOURCE_EXHAUSTED, and costs at most twice the limit', async () => {
    const child = await startMemoryProcess({ transport: 'grpc', limit: LIMIT });
    const { address } = child;
    expect(await callGrpc(address, Buffer.alloc(1))).toBe(status.INVALID_ARGUMENT);
    const before = await peakOf(child);
    expect(await callGrpc(address, bomb)).toBe(status.RESOURCE_EXHAUSTED);
    expect((await peakOf(child)) - before).toBeLessThan(2 * LIMIT);
  });
});

describe('a body in chunks of one byte', () => {
  it('costs what its bytes cost, not a hundred times that', async () => {
    const limit = 2 * MIB;
    const child = await startMemoryProcess({ transport: 'http', limit });
    const { address } = child;
    expect((await post(address, { headers: JSON_TYPE, body: '{}' })).status).toBe(200);
    const before = await peakOf(child);
    const connection = await RawConnection.open(address);
    connection.write('POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n');
    connection.write('Transfer-Encoding: chunked\r\n\r\n');
    const chunks = Buffer.from('1\r\n \r\n'.repeat(10_000));
    for (let sent = 0; sent <= limit; sent += 10_000) {
      if (!connection.socket.write(chunks)) await once(connection.socket, 'drain');
    }
    await connection.until('HTTP/1.1 413');
    connection.close();
    expect((await peakOf(child)) - before).toBeLessThan(64 * MIB);
  });
});

describe('many large bodies', () => {
  it('leave no memory behind', async () => {
    const limit = 4 * MIB;
    const child = await startMemoryProcess({ transport: 'http', limit });
    const { address } = child;
    const body = gzipSync(Buffer.alloc(limit, ' '));
    const headers = { ...JSON_TYPE, 'content-encoding': 'gzip' };
    for (let sent = 0; sent < 30; sent++) await post(address, { headers, body });
    const before = await peakOf(child);
    for (let sent = 0; sent < 60; sent++) await post(address, { headers, body });
    // The collector of garbage may be late where the machine is busy.
    expect((await peakOf(child)) - before).toBeLessThan(20 * limit);
  });
});
