import { describe, expect, it } from 'vitest';
import { OtlpHttpReceiver } from '../../src/source/receiver/otlp-http.ts';
import { requestOf, spanJson } from '../source/otlp-request.ts';
import { encodeOtlp, type OtlpJson } from '../support/otlp-encode.ts';
import { JSON_TYPE, PROTOBUF_TYPE, post } from './http-client.ts';
import { receiving } from './receiving.ts';

// Bodies that are decoded in pieces, while others have their turn.

const receive = () => receiving(OtlpHttpReceiver, { maxRequestBodySize: 64 * 2 ** 20 });

const ENCODINGS: readonly [string, Record<string, string>, (json: OtlpJson) => Buffer][] = [
  ['JSON', JSON_TYPE, (json) => Buffer.from(JSON.stringify(json))],
  ['protobuf', PROTOBUF_TYPE, (json) => Buffer.from(encodeOtlp(json))],
];

const COUNT = 30_000;
const LARGE = requestOf(
  Array.from({ length: COUNT }, (_, index) =>
    spanJson({ name: `${index} ${'x'.repeat(150)}`, ...(index % 1_000 === 0 && { traceId: '' }) }),
  ),
);

describe.each(ENCODINGS)('a large body in %s', (_, type, encode) => {
  const body = encode(LARGE);

  it('comes to the sink in pieces, in order, and is answered as one', async () => {
    const { sink, address } = await receive();
    const answer = await post(address, { headers: type, body });
    expect(answer.status).toBe(200);
    expect(answer.body.toString()).toContain('30 spans rejected: the trace id is not 16 bytes (30)');
    expect(sink.pieces.length).toBeGreaterThan(10);
    expect(sink.requests).toHaveLength(1);
    const numbers = sink.spans.map((name) => Number.parseInt(name, 10));
    expect(numbers).toEqual(Array.from({ length: COUNT }, (_, index) => index).filter((n) => n % 1_000 > 0));
    expect(sink.held).toBe(0);
  });

  it('is not learned from at all where it is malformed at its end', async () => {
    const { sink, address } = await receive();
    const answer = await post(address, { headers: type, body: Buffer.concat([body, Buffer.from('[')]) });
    expect(answer.status).toBe(400);
    expect(sink.pieces).toEqual([]);
    expect(sink.requests).toEqual([]);
    expect(sink.held).toBe(0);
  });

  it.each(['metrics', 'logs'])('of %s goes on as it is, and nothing is looked for in it', async (signal) => {
    const { sink, address } = await receive();
    expect((await post(address, { path: `/v1/${signal}`, headers: type, body })).status).toBe(200);
    expect(sink.pieces).toEqual([]);
    expect(sink.batches).toEqual([undefined]);
    expect(sink.requests[0]?.body.length).toBe(body.length);
  });

  it('lets a small one pass', async () => {
    const { address } = await receive();
    const ended: string[] = [];
    const large = post(address, { headers: type, body }).then(() => ended.push('large'));
    const small = post(address, { headers: type, body: encode(requestOf([spanJson()])) });
    await Promise.all([large, small.then(() => ended.push('small'))]);
    expect(ended).toEqual(['small', 'large']);
  });
});

it('a large body of JSON that is no UTF-8 is not learned from', async () => {
  const { sink, address } = await receive();
  const body = Buffer.from(JSON.stringify(LARGE));
  body[body.indexOf('xxx')] = 0xff;
  expect((await post(address, { headers: JSON_TYPE, body })).status).toBe(400);
  expect(sink.pieces).toEqual([]);
});
