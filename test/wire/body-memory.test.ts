import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import type { DecodedBatch } from '../../src/source/otlp/otlp-batch.ts';
import { BodyMemory } from '../../src/source/receiver/body-memory.ts';
import { OtlpHttpReceiver } from '../../src/source/receiver/otlp-http.ts';
import type { OtlpRequest } from '../../src/source/receiver/otlp-sink.ts';
import { requestOf, spanJson } from '../source/otlp-request.ts';
import { encodeOtlp } from '../support/otlp-encode.ts';
import { PROTOBUF_TYPE, post } from './http-client.ts';
import { receiving } from './receiving.ts';
import { RecordingSink } from './recording-sink.ts';

/** Lets the memory of bodies be used again, and remembers where each body was. */
class IgnoringSink extends RecordingSink {
  readonly memory: ArrayBufferLike[] = [];

  constructor() {
    super({ ignoresBodies: true });
  }

  override accept(request: OtlpRequest, batch: DecodedBatch | undefined) {
    this.memory.push(request.body.buffer);
    return super.accept(request, batch);
  }
}

async function receive(sink: RecordingSink) {
  const { address } = await receiving(OtlpHttpReceiver, { sink, maxRequestBodySize: 2 ** 20 });
  return address;
}

/** Of a size that grows, so that each is received where a longer or a shorter one was. */
function bodyOf(index: number): Buffer {
  const padding = { key: 'padding', value: { stringValue: 'x'.repeat((index % 20) * 9_000) } };
  const spanId = (index + 1).toString(16).padStart(16, '0');
  return Buffer.from(
    encodeOtlp(requestOf([spanJson({ name: `tool ${index}`, spanId, attributes: [padding] })])),
  );
}

const INDEXES = Array.from({ length: 60 }, (_, index) => index);
const NAMES = INDEXES.map((index) => `tool ${index}`).sort();

it.each([
  ['as they are', (body: Buffer) => body, {}],
  ['of a length that was not said', (body: Buffer) => [body], {}],
  ['inflated', (body: Buffer) => gzipSync(body), { 'content-encoding': 'gzip' }],
])('bodies that come in at the same time do not mix, %s', async (_, encode, fields) => {
  const sink = new IgnoringSink();
  const address = await receive(sink);
  const headers = { ...PROTOBUF_TYPE, ...fields };
  for (let from = 0; from < INDEXES.length; from += 20) {
    const together = INDEXES.slice(from, from + 20);
    await Promise.all(together.map((index) => post(address, { headers, body: encode(bodyOf(index)) })));
  }

  expect([...sink.spans].sort()).toEqual(NAMES);
  expect(sink.held).toBe(0);
});

it('memory is used again for the next body', async () => {
  const sink = new IgnoringSink();
  const address = await receive(sink);
  for (const index of [1, 2, 3]) await post(address, { headers: PROTOBUF_TYPE, body: [bodyOf(index)] });

  expect(sink.requests.map(({ body }) => body.length)).toEqual(
    [1, 2, 3].map((index) => bodyOf(index).length),
  );
  expect(new Set(sink.memory).size).toBe(1);
});

it('a body that may be kept stays as it is', async () => {
  const sink = new RecordingSink();
  const address = await receive(sink);
  for (const index of INDEXES) await post(address, { headers: PROTOBUF_TYPE, body: bodyOf(index) });

  const kept = sink.requests.map(({ body }, index) => bodyOf(index).equals(body));
  expect(kept).toEqual(INDEXES.map(() => true));
});

it('a block is the smallest that does, and of those given back no more are kept than are used at a time', () => {
  const memory = new BodyMemory();
  expect([1, 2 ** 16, 2 ** 16 + 1, 2 ** 21, 2 ** 21 + 1].map((bytes) => memory.take(bytes)?.length)).toEqual([
    2 ** 16,
    2 ** 16,
    2 ** 21,
    2 ** 21,
    undefined,
  ]);
  const blocks = Array.from({ length: 20 }, () => memory.take(1) ?? Buffer.alloc(0));
  for (const block of blocks) memory.giveBack(block);
  const again = new Set(Array.from({ length: 20 }, () => memory.take(1)));
  expect(blocks.filter((block) => again.has(block))).toHaveLength(16);
});
