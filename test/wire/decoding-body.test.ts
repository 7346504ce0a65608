import { expect, it, onTestFinished } from 'vitest';
import { OtlpHttpReceiver } from '../../src/source/receiver/otlp-http.ts';
import { requestOf, spanJson } from '../source/otlp-request.ts';
import { encodeOtlp } from '../support/otlp-encode.ts';
import { PROTOBUF_TYPE, post, RawConnection } from './http-client.ts';
import { receiving } from './receiving.ts';
import { RecordingSink } from './recording-sink.ts';

const NAMES = Array.from({ length: 200 }, (_, index) => `tool ${index}`);
const padding = { key: 'padding', value: { stringValue: 'x'.repeat(300) } };
const BODY = Buffer.from(
  encodeOtlp(
    requestOf(
      NAMES.map((name, index) =>
        spanJson({ name, spanId: (index + 1).toString(16).padStart(16, '0'), attributes: [padding] }),
      ),
    ),
  ),
);
const MIB = 2 ** 20;

async function receive(room = Number.POSITIVE_INFINITY) {
  const sink = new RecordingSink({ ignoresBodies: true });
  sink.room = room;
  const { address } = await receiving(OtlpHttpReceiver, { sink, maxRequestBodySize: 64 * MIB });
  const open = async () => {
    const connection = await RawConnection.open(address);
    onTestFinished(() => connection.close());
    return connection;
  };
  return { sink, address, open };
}

function head(length: number): string {
  return `POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: ${length}\r\n\r\n`;
}

/** Written in pieces of a prime length, each of which is a packet of its own. */
async function writeInPieces(connection: RawConnection, bytes: Buffer, pieceBytes = 997): Promise<void> {
  connection.socket.setNoDelay(true);
  for (let from = 0; from < bytes.length; from += pieceBytes) {
    connection.write(bytes.subarray(from, from + pieceBytes));
    await new Promise(setImmediate);
  }
}

/** Whether the request that came last was decoded as it came, and so has no body to show. */
function wasDecodedAsItCame(sink: RecordingSink): boolean {
  return sink.requests.at(-1)?.body.length === 0;
}

it('spans are decoded as they come, however the body is cut, and room is given back', async () => {
  const { sink, open } = await receive();
  const connection = await open();
  connection.write(head(BODY.length));
  await writeInPieces(connection, BODY);
  await connection.until('HTTP/1.1 200');

  expect(sink.spans).toEqual(NAMES);
  expect(wasDecodedAsItCame(sink)).toBe(true);
  expect(sink.most).toBe(BODY.length);
  expect(sink.held).toBe(0);
});

it('what is wrong with a body is told once all of it has come, and the connection stays', async () => {
  const { sink, open } = await receive();
  const connection = await open();
  const bad = Buffer.concat([Buffer.from([0x0f]), BODY]);
  connection.write(head(bad.length));
  await writeInPieces(connection, bad.subarray(0, -1));
  expect(connection.text).toBe('');
  connection.write(bad.subarray(-1));
  expect(await connection.until('wire type')).toContain('HTTP/1.1 400');
  expect(sink.requests).toEqual([]);

  connection.write(head(BODY.length));
  connection.write(BODY);
  await connection.until('HTTP/1.1 200');
  expect(sink.spans).toEqual(NAMES);
  expect(sink.held).toBe(0);
});

it('who finds no room on the way is told to come again', async () => {
  const { sink, address } = await receive(BODY.length - 1);
  expect((await post(address, { headers: PROTOBUF_TYPE, body: BODY })).status).toBe(503);
  expect(sink.requests).toEqual([]);
  expect(sink.held).toBe(0);
});

it('at most 8 MiB are decoded as they come at a time, and what comes beside them is collected', async () => {
  const { sink, address, open } = await receive();
  const slow = [await open(), await open()];
  for (const connection of slow) connection.write(head(4 * MIB));
  await expect.poll(() => sink.held).toBe(2 * 4_096);
  const send = () => post(address, { headers: PROTOBUF_TYPE, body: BODY });

  expect((await send()).status).toBe(200);
  expect(sink.requests.at(-1)?.body).toEqual(BODY);
  slow[0]?.close();
  await expect.poll(() => sink.held).toBe(4_096);
  expect((await send()).status).toBe(200);
  expect(wasDecodedAsItCame(sink)).toBe(true);
  expect(sink.spans).toEqual([...NAMES, ...NAMES]);
});
