import { attribute, requestOf, spanJson } from '../source/otlp-request.ts';
import { encodeOtlp, type OtlpJson } from '../support/otlp-encode.ts';

/** Random numbers that are the same again for the same seed, so that what was found can be found again. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 to below `limit`. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }

  of<T>(items: readonly [T, ...T[]]): T {
    return items[this.below(items.length)] ?? items[0];
  }

  bytes(size: number): Buffer {
    return Buffer.from(Array.from({ length: size }, () => this.below(256)));
  }
}

const nested = (depth: number): OtlpJson =>
  depth === 0 ? { intValue: '1' } : { arrayValue: { values: [nested(depth - 1), {}] } };

const REQUESTS: readonly [OtlpJson, ...OtlpJson[]] = [
  {},
  requestOf([spanJson()]),
  requestOf(
    [
      spanJson({
        parentSpanId: 'b7ad6b7169203331',
        flags: 257,
        status: { code: 2, message: 'm' },
        attributes: [
          attribute('gen_ai.operation.name', { stringValue: 'execute_tool' }),
          attribute('__proto__', {
            kvlistValue: { values: [attribute('constructor', { boolValue: true })] },
          }),
          attribute('deep', nested(70)),
          attribute('bytes', { bytesValue: 'AAECAw==' }),
          attribute('double', { doubleValue: -0.5 }),
        ],
        events: [{ timeUnixNano: '1', name: 'e', attributes: [attribute('k', { intValue: '-1' })] }],
      }),
      spanJson({ spanId: '0'.repeat(16) }),
      spanJson({ startTimeUnixNano: 1795354563298730797n.toString(), endTimeUnixNano: 5 }),
    ],
    { attributes: [attribute('service.name', { stringValue: 'ü🙂' })] },
  ),
];

export const JSON_SEEDS: readonly [Buffer, ...Buffer[]] = [
  Buffer.from(JSON.stringify(REQUESTS[0])),
  ...REQUESTS.slice(1).map((request) => Buffer.from(JSON.stringify(request))),
];

export const PROTOBUF_SEEDS: readonly [Buffer, ...Buffer[]] = [
  Buffer.from(encodeOtlp(REQUESTS[0])),
  ...REQUESTS.slice(1).map((request) => Buffer.from(encodeOtlp(request))),
];

/** What means something in JSON, protobuf or HTTP, and so leads further than noise does. */
const TOKENS: readonly [string, ...string[]] = [
  '{"',
  '[[',
  '}]',
  '":',
  '\\u',
  '\\ud800',
  'null',
  '1e999',
  '-',
  '18446744073709551616',
  '"__proto__":',
  '\ufeff',
  '\xff\xff\xff\xff\x0f',
  '\x0a\x00',
  '\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01',
  '\x0b',
  '\x0c',
  '\x00',
  '%zz',
  '\r\n',
  '\r\n\r\n',
  'Content-Length: 1\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Expect: 100-continue\r\n',
  'ffffffff\r\n',
];

/** A body made of a good one by a few changes, or of nothing at all. */
export function mutated(seeds: readonly [Buffer, ...Buffer[]], random: Random): Buffer {
  if (random.below(20) === 0) return random.bytes(random.below(200));
  let body: Buffer = Buffer.from(random.of(seeds));
  for (let changes = 1 + random.below(4); changes > 0; changes--) body = changed(body, seeds, random);
  return body;
}

function changed(body: Buffer, seeds: readonly [Buffer, ...Buffer[]], random: Random): Buffer {
  const at = random.below(body.length + 1);
  const until = Math.min(body.length, at + random.below(20));
  const [before, inside, after] = [body.subarray(0, at), body.subarray(at, until), body.subarray(until)];
  switch (random.below(7)) {
    case 0:
      if (at < body.length) body[at] = (body[at] ?? 0) ^ (1 << random.below(8));
      return body;
    case 1:
      if (at < body.length) body[at] = random.of([0, 1, 0x7f, 0x80, 0xff]);
      return body;
    case 2:
      return before;
    case 3:
      return Buffer.concat([before, after]);
    case 4:
      return Buffer.concat([before, inside, inside, inside, after]);
    case 5:
      return Buffer.concat([before, Buffer.from(random.of(TOKENS), 'latin1'), after]);
    default: {
      const other = random.of(seeds);
      const from = random.below(other.length + 1);
      return Buffer.concat([before, other.subarray(from, from + random.below(200)), after]);
    }
  }
}
