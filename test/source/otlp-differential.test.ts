import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRecogniser } from '../../src/conventions/recognise.ts';
import { scanJsonRequest } from '../../src/source/otlp/otlp-json-scan.ts';
import { CAPTURE_NAMES, requestsOf } from '../support/captures.ts';
import { type Decoders, decodeByAll, JSON_DECODERS, PROTOBUF_DECODERS } from '../support/decoders.ts';
import { encodeOtlp } from '../support/otlp-encode.ts';
import { expectedBatch } from '../support/otlp-oracle.ts';
import { field } from '../support/protobuf-field.ts';
import { protobufField, protobufFields } from '../support/protobuf-fields.ts';
import { requestByProtobufjs } from '../support/request-by-protobufjs.ts';
import { Random } from '../wire/mutations.ts';
import { request } from './otlp-arbitraries.ts';
import { attribute, everything, nothing, PARENT_ID, requestOf, spanJson, TRACE_ID } from './otlp-request.ts';
import { scrambledJson, scrambledProtobuf } from './otlp-scrambled.ts';

/** `decodeByAll` throws where a decoder does not make of a body what its oracle does. */
const wants = [
  everything,
  nothing,
  createRecogniser().attributes.wants,
  (key: string) => key.length % 2 === 0,
] as const;

/** With protobufjs left to itself, which is right where every field is what it is declared to be. */
const bare: Decoders = {
  ...PROTOBUF_DECODERS,
  oracle: (body, isWanted) => expectedBatch(requestByProtobufjs(body), isWanted),
};

const ATTRIBUTE = field(9, field(1, Buffer.from('tool')), field(2, field(1, Buffer.from('search'))));

/** What may stand behind attributes: as everybody writes it, in other forms, and what no one writes. */
const TAIL: readonly (readonly number[])[] = [
  [0x50, 0],
  [0x60, 5],
  [0x70, 0x80, 0x01],
  [0x7a, 0],
  [0x7a, 2, 0x18, 2],
  [0x7a, 2, 0x18, 0x82],
  [0x7a, 3, 0x18, 0x82, 0x01],
  [0x7a, 4, 0x12, 0, 0x18, 1],
  [0x85, 0x01, 1, 2, 3, 4],
  [0x85, 0x81, 0x00, 1, 3, 0, 0],
  [0x30, 3],
  [0x58, 1],
  [...ATTRIBUTE],
];

/** The fields of the first span of a request with one. */
function spanFieldsOf(request: Buffer): Buffer[] {
  const inside = (message: Buffer, number: number) => {
    const found = protobufFields(message).find((one) => one.number === number);
    if (found === undefined) throw new Error(`there is no field ${number}`);
    return found.value;
  };
  return protobufFields(inside(inside(inside(request, 1), 2), 2)).map(protobufField);
}

describe('each decoder agrees with JSON.parse or protobufjs, and the rules of OTLP', () => {
  it('on requests as senders write them', () => {
    fc.assert(
      fc.property(request, fc.constantFrom(...wants), (json, isWanted) => {
        decodeByAll(JSON_DECODERS, Buffer.from(JSON.stringify(json)), isWanted);
        decodeByAll(PROTOBUF_DECODERS, Buffer.from(encodeOtlp(json)), isWanted);
        decodeByAll(bare, Buffer.from(encodeOtlp(json)), isWanted);
      }),
      { numRuns: 500 },
    );
  });

  it('on requests as hardly anyone writes them', () => {
    let decoded = 0;
    fc.assert(
      fc.property(request, fc.nat(), fc.constantFrom(...wants), (json, seed, isWanted) => {
        const random = new Random(seed);
        const outcomes = [
          decodeByAll(JSON_DECODERS, Buffer.from(scrambledJson(json, random)), isWanted),
          decodeByAll(PROTOBUF_DECODERS, scrambledProtobuf(Buffer.from(encodeOtlp(json)), random), isWanted),
        ];
        for (const outcome of outcomes) if ('batch' in outcome) decoded++;
      }),
      { numRuns: 1_500 },
    );
    expect(decoded).toBeGreaterThan(1_000);
  });

  it('on what stands behind the attributes of a span, whatever it is', () => {
    const span = Buffer.from(encodeOtlp(requestOf([spanJson({ attributes: [], status: {} })])));
    const spanFields = spanFieldsOf(span);
    const outcomes = new Map<string, number>();
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...TAIL), { maxLength: 6 }), fc.nat(3), (tail, cut) => {
        const bytes = Buffer.concat([...spanFields, ATTRIBUTE, ...tail.map((part) => Buffer.from(part))]);
        const body = field(1, field(2, field(2, bytes.subarray(0, bytes.length - (cut === 3 ? 1 : 0)))));
        const outcome = decodeByAll(PROTOBUF_DECODERS, Buffer.from(body), everything);
        const kind = 'batch' in outcome ? 'read' : 'refused';
        outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1);
      }),
      { numRuns: 2_000 },
    );
    expect(outcomes.get('read')).toBeGreaterThan(200);
    expect(outcomes.get('refused')).toBeGreaterThan(200);
  });

  it.each([
    ['a field twice', '{"resourceSpans":[RS],"resourceSpans":[RS]}'],
    [
      'a list in a span twice',
      '{"resourceSpans":[{"scopeSpans":[{"spans":[{IDS,"attributes":[A],"attributes":[B]}]}]}]}',
    ],
    [
      'the scope behind its spans',
      '{"resourceSpans":[{"scopeSpans":[{"spans":[SPAN],"scope":{"name":"late"}}]}]}',
    ],
    [
      'the resource behind its scopes',
      '{"resourceSpans":[{"scopeSpans":[SS],"resource":{"attributes":[SERVICE]}}]}',
    ],
    [
      'both names of a scope list',
      '{"resourceSpans":[{"instrumentationLibrarySpans":[SS],"scopeSpans":[SS]}]}',
    ],
    [
      'a value before its key',
      '{"resourceSpans":[{"scopeSpans":[{"spans":[{IDS,"attributes":[{"value":{"stringValue":"x"},"key":"k"}]}]}]}]}',
    ],
    [
      'a value of two kinds',
      '{"resourceSpans":[{"scopeSpans":[{"spans":[{IDS,"attributes":[{"key":"k","value":{"intValue":1,"stringValue":"x"}},{"key":"l","value":{"stringValue":"y","stringValue":"z"}}]}]}]}]}',
    ],
    [
      'digits that are no text',
      '{"resourceSpans":[{"scopeSpans":[{"spans":[{IDS,"parentSpanId":1000000000000000,"name":10000000000000000}]}]}]}',
    ],
    [
      'nulls',
      '{"resourceSpans":[{"scopeSpans":[{"spans":[{IDS,"parentSpanId":null,"name":null,"kind":null,"attributes":null,"status":null},{"traceId":null}]}]}]}',
    ],
    ['an escaped name', '{"resource\\u0053pans":[RS]}'],
    ['something behind the end', '{"resourceSpans":[RS]}]'],
    ['a byte order mark', '\ufeff{"resourceSpans":[RS]}'],
  ])('on %s', (_, template) => {
    const ids = `"traceId":"${'1'.repeat(32)}","spanId":"${'2'.repeat(16)}","startTimeUnixNano":1795354563298730797`;
    const body = template
      .replaceAll('RS', '{"scopeSpans":[SS]}')
      .replaceAll('SS', '{"spans":[SPAN]}')
      .replaceAll('SPAN', '{IDS}')
      .replaceAll('IDS', ids)
      .replaceAll('SERVICE', '{"key":"service.name","value":{"stringValue":"s"}}')
      .replaceAll('[A]', '[{"key":"a","value":{"stringValue":"x"}}]')
      .replaceAll('[B]', '[{"key":"b","value":{"stringValue":"y"}}]');
    decodeByAll(JSON_DECODERS, Buffer.from(body), everything);
  });

  it('on strings of every kind, cut at every length that matters', () => {
    const texts = ['', 'x', 'ü', '🙂', 'a"b\\\\c\n', '\u0000', '\ud800'];
    for (const part of texts) {
      for (const length of [1, 2, 3, 4, 5, 24, 95, 96, 97, 1_024, 1_025, 65_536, 65_537, 70_000]) {
        const text = part.repeat(Math.ceil(length / Math.max(1, part.length))).slice(0, length);
        const fields = {
          name: text,
          attributes: [attribute('a', { stringValue: text }), attribute(text, { intValue: '1' })],
        };
        const json = requestOf([spanJson(fields)]);
        decodeByAll(JSON_DECODERS, Buffer.from(JSON.stringify(json)), everything);
        decodeByAll(PROTOBUF_DECODERS, Buffer.from(encodeOtlp(json)), everything);
      }
    }
  });

  it('on lists and maps of more than is read', () => {
    const values = Array.from({ length: 4_000 }, (_, index) => ({ stringValue: 'ü'.repeat(index % 40) }));
    const entries = values.map((value, index) => attribute(String(index), value));
    const list = { arrayValue: { values } };
    const map = { kvlistValue: { values: entries } };
    const mixed = { arrayValue: { values: [...values.slice(0, 2_000), map, list] } };
    const json = requestOf(
      [list, map, mixed].map((value) => spanJson({ attributes: [attribute('a', value)] })),
    );
    decodeByAll(JSON_DECODERS, Buffer.from(JSON.stringify(json)), everything);
    decodeByAll(PROTOBUF_DECODERS, Buffer.from(encodeOtlp(json)), everything);
  });

  it('on texts that are no UTF-8', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 12 }), (bytes) => {
        const mark = 'MARK'.repeat(3).slice(0, bytes.length);
        const fields = { name: mark, attributes: [attribute(mark, { stringValue: mark })] };
        const json = requestOf([spanJson(fields)]);
        for (const [decoders, body] of [
          [JSON_DECODERS, Buffer.from(JSON.stringify(json))],
          [PROTOBUF_DECODERS, Buffer.from(encodeOtlp(json))],
        ] as const) {
          for (let at = body.indexOf(mark); at >= 0; at = body.indexOf(mark, at + 1)) body.set(bytes, at);
          decodeByAll(decoders, body, everything);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('on spans that end at any byte, at the end of a body and before another', () => {
    for (const length of [0, 1, 19, 95, 96, 97, 127, 128]) {
      for (const parentSpanId of [undefined, PARENT_ID]) {
        const fields = { parentSpanId, name: 'n'.repeat(length), kind: length % 8, flags: 0x101 };
        const attributes = [attribute('a', { stringValue: 'x' })];
        const body = Buffer.from(encodeOtlp(requestOf([spanJson({ ...fields, attributes })])));
        const span = body.subarray(body.indexOf(`0a10${TRACE_ID}`, 'hex'));
        for (let end = 0; end <= span.length; end++) {
          const cut = field(2, span.subarray(0, end));
          for (const spans of [[cut], [cut, field(2, span)]]) {
            decodeByAll(PROTOBUF_DECODERS, Buffer.from(field(1, field(2, ...spans))), everything);
          }
        }
      }
    }
  });

  it('on attributes of every length that takes another byte to tell', () => {
    const lengths = [0, 1, 95, 96, 97, 110, 124, 125, 126, 127, 128, 129, 16_372, 16_380, 16_383, 16_384];
    // The last two look like others where the last byte of a length is not seen.
    const texts = [...lengths, 170_000].map((length) => 'v'.repeat(length));
    texts.push(`${'k'.repeat(127)}\x12`);
    for (const text of texts) {
      const other = `${text.slice(0, 97)}x${text.slice(98)}`;
      for (const attributes of [
        [attribute('k', { stringValue: text }), attribute('nine long', { stringValue: other })],
        [attribute(text, { stringValue: 'of 15 characters' }), attribute(other, { intValue: '-1' })],
        [attribute(text, { stringValue: 'fifteen of them' }), attribute('k', { boolValue: true })],
      ]) {
        const body = Buffer.from(encodeOtlp(requestOf([spanJson({ attributes })])));
        for (const isWanted of [everything, nothing, (name: string) => name === 'k']) {
          decodeByAll(PROTOBUF_DECODERS, body, isWanted);
        }
      }
    }
  });

  it('on bodies cut at any byte', () => {
    const fields = {
      attributes: [attribute('a', { arrayValue: { values: [{ stringValue: 'x\n' }, { intValue: '-1' }] } })],
    };
    const json = requestOf([spanJson(fields)], {
      attributes: [attribute('service.name', { stringValue: 's' })],
    });
    for (const [decoders, body] of [
      [JSON_DECODERS, Buffer.from(JSON.stringify(json, null, 1))],
      [PROTOBUF_DECODERS, Buffer.from(encodeOtlp(json))],
    ] as const) {
      for (let cut = 0; cut <= body.length; cut++) decodeByAll(decoders, body.subarray(0, cut), everything);
    }
  });
});

describe('scanJsonRequest', () => {
  it('reads the recordings of all frameworks by itself', () => {
    const left = CAPTURE_NAMES.filter((name) =>
      requestsOf(name).some(
        (json) => scanJsonRequest(Buffer.from(JSON.stringify(json)), everything) === undefined,
      ),
    );
    expect(left).toEqual([]);
  });
});
