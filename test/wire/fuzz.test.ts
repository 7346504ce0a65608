import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { OtlpGrpcReceiver } from '../../src/source/receiver/otlp-grpc.ts';
import { OtlpHttpReceiver } from '../../src/source/receiver/otlp-http.ts';
import { fuzzDecoders } from './fuzz-decoders.ts';
import { call, grpcClient } from './grpc-client.ts';
import { JSON_TYPE, PROTOBUF_TYPE, post, RawConnection } from './http-client.ts';
import { JSON_SEEDS, mutated, PROTOBUF_SEEDS, Random } from './mutations.ts';
import { receiving } from './receiving.ts';
import { RecordingSink } from './recording-sink.ts';

/** Another one in each run; a failure shows it. */
const SEED = Date.now() % 2 ** 32;

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

/** Some bodies to warm up, then as many as asked for: what is left of the memory then has leaked. */
function heapAfter(run: () => void): number {
  run();
  collect();
  return process.memoryUsage().heapUsed;
}

const KINDS = [
  ['collected', false],
  ['decoded as they come', true],
] as const;

describe(`with seed ${SEED}`, () => {
  it('100,000 random and mutated bodies are decoded or refused, at once, and leave nothing behind', () => {
    const before = heapAfter(() => fuzzDecoders(5_000, SEED));
    const after = heapAfter(() => {
      const { decoded, malformed, slowest } = fuzzDecoders(100_000, SEED + 1);
      expect(decoded).toBeGreaterThan(5_000);
      expect(malformed).toBeGreaterThan(50_000);
      expect(slowest).toBeLessThan(500);
    });
    expect(after - before).toBeLessThan(16 * 2 ** 20);
  }, 60_000);

  it.each(KINDS)(
    '2,000 mutated bodies posted over HTTP are answered as they should be, %s',
    async (_, ignoresBodies) => {
      const sink = new RecordingSink({ ignoresBodies });
      const { receiver, address } = await receiving(OtlpHttpReceiver, { sink });
      const random = new Random(SEED + 2);
      for (let round = 0; round < 200; round++) {
        const answers = Array.from({ length: 10 }, () => {
          const isJson = random.below(2) === 0;
          const body = mutated(isJson ? JSON_SEEDS : PROTOBUF_SEEDS, random);
          const type = isJson ? JSON_TYPE : PROTOBUF_TYPE;
          if (random.below(3) > 0) return post(address, { headers: type, body });
          const packed = mutated([gzipSync(body)], random);
          return post(address, { headers: { ...type, 'content-encoding': 'gzip' }, body: packed });
        });
        for (const { status } of await Promise.all(answers)) expect([200, 400, 413]).toContain(status);
      }
      expect(sink.held).toBe(0);
      await receiver.close(1_000);
    },
  );

  it('2,000 mutated messages over gRPC are answered as they should be', async () => {
    const { sink, receiver, address } = await receiving(OtlpGrpcReceiver);
    const client = grpcClient(address);
    const random = new Random(SEED + 3);
    for (let round = 0; round < 40; round++) {
      const answers = Array.from({ length: 50 }, () => call(client, mutated(PROTOBUF_SEEDS, random)));
      for (const { error } of await Promise.all(answers)) expect([undefined, 3]).toContain(error?.code);
    }
    expect(sink.held).toBe(0);
    client.close();
    await receiver.close(1_000);
  });

  it.each([
    ['HTTP', OtlpHttpReceiver],
    ['gRPC', OtlpGrpcReceiver],
  ] as const)('500 mutated connections to the receiver of %s all end in time', async (_, Receiver) => {
    const { sink, receiver, address } = await receiving(Receiver, {
      headersTimeoutMillis: 500,
      bodyTimeoutMillis: 500,
      idleTimeoutMillis: 500,
    });
    const random = new Random(SEED + 4);
    for (let round = 0; round < 2; round++) {
      const connections = Array.from({ length: 250 }, async () => {
        const connection = await RawConnection.open(address);
        connection.write(mutated(CONNECTIONS, random));
        if (random.below(2) === 0) connection.socket.end();
        const text = await connection.untilEnd();
        connection.close();
        expect(text).not.toContain('HTTP/1.1 500');
      });
      await Promise.all(connections);
    }
    expect(sink.held).toBe(0);
    await receiver.close(1_000);
  });
});

const HEAD = 'POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0';
const CONNECTIONS: [Buffer, ...Buffer[]] = [
  Buffer.from(`${HEAD}Content-Length: ${JSON_SEEDS[0].length}\r\n\r\n${JSON_SEEDS[0]}`),
  Buffer.from(`${HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`),
  // A frame of settings, a ping, and headers that are none.
  Buffer.from(`${PREFACE}\0\0\x08\x06\0\0\0\0\x0012345678\0\0\x08\x01\x04\0\0\0\x01abcdefgh`, 'latin1'),
];
