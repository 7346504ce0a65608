import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { requestOf, spanJson } from '../source/otlp-request.ts';
import { encodeOtlp } from '../support/otlp-encode.ts';
import { JSON_TYPE, PROTOBUF_TYPE, post } from './http-client.ts';
import { type MemoryProcess, startMemoryProcess } from './memory-process.ts';

// Bodies of some kilobytes that become just under the limit, and would be a hundred times that as objects.

const LIMIT = 64 * 2 ** 20;
const HEAP_MIB = 384;
const GZIP = { 'content-encoding': 'gzip' };
const SMALL = JSON.stringify(requestOf([spanJson()]));

/** `unit` again and again between what comes before and after, just under the limit in all. */
function filled(before: string, unit: Uint8Array | string, after: string): Buffer {
  const size = Buffer.byteLength(unit);
  const count = Math.floor((LIMIT - 1_000) / size);
  const units = Buffer.alloc(count * size, unit).subarray(0, after === '' ? undefined : -1);
  return Buffer.concat([Buffer.from(before), units, Buffer.from(after)]);
}

type Bomb = readonly [what: string, type: Record<string, string>, make: () => Buffer];

const BOMBS: readonly Bomb[] = [
  ['JSON of empty ResourceSpans', JSON_TYPE, () => filled('{"resourceSpans":[', '{},', ']}')],
  [
    'JSON of empty spans',
    JSON_TYPE,
    () => filled('{"resourceSpans":[{"scopeSpans":[{"spans":[', '{},', ']}]}]}'),
  ],
  ['JSON of one list', JSON_TYPE, () => filled('{"x":[', '0,', ']}')],
  ['JSON of names', JSON_TYPE, () => filled('{"x":{', '"a":1,', '}}')],
  ['JSON of one text', JSON_TYPE, () => filled('{"x":"', 'x', '"}')],
  ['protobuf of empty fields', PROTOBUF_TYPE, () => filled('', Buffer.from([0x7a, 0]), '')],
  ['protobuf of empty ResourceSpans', PROTOBUF_TYPE, () => filled('', Buffer.from([0x0a, 0]), '')],
  ['protobuf of empty groups', PROTOBUF_TYPE, () => filled('', Buffer.from([0x13, 0x14]), '')],
];

/** Good spans that have no more than they need. */
const { traceId, spanId } = spanJson();
const TINY = { traceId, spanId, startTimeUnixNano: '1' };

function tinyJsonSpans(): Buffer {
  const span = JSON.stringify(TINY);
  const [before = '', after = ''] = JSON.stringify(requestOf([TINY])).split(span);
  return filled(before, `${span},`, after);
}

/** In one scope of one resource. */
function tinyProtobufSpans(): Buffer {
  const [request, name] = [Buffer.from(encodeOtlp(requestOf([TINY]))), 'my-agent'];
  const span = request.subarray(request.indexOf(name) + name.length);
  return framed(0x0a, framed(0x12, filled('', span, '')));
}

function framed(tag: number, bytes: Buffer): Buffer {
  const length: number[] = [];
  for (let left = bytes.length; left > 0; left >>>= 7) length.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
  return Buffer.concat([Buffer.from([tag, ...length]), bytes]);
}

const TRACE_BOMBS: readonly Bomb[] = [
  ...BOMBS,
  // Twice the same name: what stands last counts, so a reader cannot take the spans as they come.
  ['JSON in an odd form', JSON_TYPE, () => filled('{"resourceSpans":[', '{},', '],"resourceSpans":[]}')],
  ['JSON that is cut off', JSON_TYPE, () => filled('{"resourceSpans":[', '{},', '')],
  [
    'JSON of one odd span',
    JSON_TYPE,
    () => filled('{"resourceSpans":[{"scopeSpans":[{"spans":[{"kind":[', '{},', ']}]}]}]}'),
  ],
  [
    'JSON of one odd resource',
    JSON_TYPE,
    () => filled('{"resourceSpans":[{"resource":{"x":[', '{},', ']}}]}'),
  ],
  ['JSON of tiny spans', JSON_TYPE, tinyJsonSpans],
  ['protobuf of tiny spans', PROTOBUF_TYPE, tinyProtobufSpans],
  ['protobuf of tiny requests', PROTOBUF_TYPE, () => filled('', encodeOtlp(requestOf([TINY])), '')],
];

const EMPTY_FIELDS = Buffer.from([0x7a, 0]);
const EMPTY_ATTRIBUTES = Buffer.from([0x4a, 0]);

/** One message of so many fields that to look at each would hold up everybody for seconds. */
const FIELD_BOMBS: readonly Bomb[] = [
  ['a ResourceSpans', PROTOBUF_TYPE, () => framed(0x0a, filled('', EMPTY_FIELDS, ''))],
  ['a Resource', PROTOBUF_TYPE, () => framed(0x0a, framed(0x0a, filled('', EMPTY_FIELDS, '')))],
  ['a ScopeSpans', PROTOBUF_TYPE, () => framed(0x0a, framed(0x12, filled('', EMPTY_FIELDS, '')))],
  ['a Scope', PROTOBUF_TYPE, () => framed(0x0a, framed(0x12, framed(0x0a, filled('', EMPTY_FIELDS, ''))))],
  ['a Span', PROTOBUF_TYPE, () => framed(0x0a, framed(0x12, framed(0x12, filled('', EMPTY_FIELDS, ''))))],
  [
    'a Span with attributes',
    PROTOBUF_TYPE,
    () => framed(0x0a, framed(0x12, framed(0x12, filled('', EMPTY_ATTRIBUTES, '')))),
  ],
  ['a request', JSON_TYPE, () => filled('{', '"a":1,', '}')],
  ['a ResourceSpans in JSON', JSON_TYPE, () => filled('{"resourceSpans":[{', '"a":1,', '}]}')],
  ['a ScopeSpans in JSON', JSON_TYPE, () => filled('{"resourceSpans":[{"scopeSpans":[{', '"a":1,', '}]}]}')],
];

/** Sends small requests one after the other until told to stop. */
async function watch({ address }: MemoryProcess, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    expect((await post(address, { headers: JSON_TYPE, body: SMALL })).status).toBe(200);
    await sleep(20);
  }
}

/** Posts each in turn to one receiver, which others use all the while. @returns how each was answered. */
async function detonate(bombs: readonly Bomb[], ...signals: readonly string[]) {
  const child = await startMemoryProcess({
    transport: 'http',
    limit: LIMIT,
    sink: 'learning',
    heapMiB: HEAP_MIB,
  });
  expect((await post(child.address, { headers: JSON_TYPE, body: SMALL })).status).toBe(200);
  const before = await child.read();
  const answers: Record<string, { readonly status: number; readonly stopMillis: number }> = {};
  const send = async () => {
    for (const [index, [what, type, make]] of bombs.entries()) {
      const path = `/v1/${signals[index % signals.length]}`;
      const { status } = await post(child.address, {
        path,
        headers: { ...type, ...GZIP },
        body: gzipSync(make()),
      });
      const { stopMillis } = await child.read();
      answers[`${what} to ${path}`] = { status, stopMillis };
    }
  };
  let isOver = false;
  const sending = send().finally(() => {
    isOver = true;
  });
  await Promise.all([sending, watch(child, () => isOver)]);
  const { peak, held } = await child.read();
  expect(held).toBe(0);
  return { answers: Object.entries(answers), cost: peak - before.peak };
}

describe('a body that is small until it is inflated, and large until it is read', () => {
  it('of metrics or logs costs little more than its size, and holds up nobody', {
    timeout: 60_000,
  }, async () => {
    const { answers, cost } = await detonate(BOMBS, 'metrics', 'logs');
    expect(answers.filter(([, { status }]) => status !== 200)).toEqual([]);
    expect(answers.filter(([, { stopMillis }]) => stopMillis > 500)).toEqual([]);
    // What is left of the one before may not be collected yet.
    expect(cost).toBeLessThan(4 * LIMIT);
  });

  it('of traces is answered by a process of little memory, which lives on', {
    timeout: 180_000,
  }, async () => {
    const { answers, cost } = await detonate(TRACE_BOMBS, 'traces');
    expect(answers.filter(([, { status }]) => ![200, 400].includes(status))).toEqual([]);
    // A first look at all of a body is one step, which on a busy machine may take long.
    expect(answers.filter(([, { stopMillis }]) => stopMillis > 5_000)).toEqual([]);
    expect(cost).toBeLessThan(4 * LIMIT);
  });

  it('of nothing but fields is refused', { timeout: 60_000 }, async () => {
    const { answers } = await detonate(FIELD_BOMBS, 'traces');
    expect(answers.filter(([, { status }]) => status !== 400)).toEqual([]);
    // As above: inflated, all of it is looked at once, for what is no UTF-8 say.
    expect(answers.filter(([, { stopMillis }]) => stopMillis > 5_000)).toEqual([]);
  });
});
