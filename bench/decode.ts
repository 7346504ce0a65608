import { createHash } from 'node:crypto';
import type { Wants } from '../src/conventions/attribute-names.ts';
import { createRecogniser, type Recogniser } from '../src/conventions/recognise.ts';
import { NumericSpan, plainSpan } from '../src/model/numeric-span.ts';
import type { Span, SpanKind, SpanResource } from '../src/model/span.ts';
import { readSpanId } from '../src/model/span-id.ts';
import { decodeOtlpJson } from '../src/source/otlp/otlp-json.ts';
import { decodeOtlpProtobuf } from '../src/source/otlp/otlp-protobuf.ts';
import { isResourceKey, resourceOf } from '../src/source/otlp/resource.ts';
import { agentBatch, type OtlpRequestJson, type SpanJson, type ValueJson } from './agent-batch.ts';
import type { Benchmark, Sides, Turn } from './harness.ts';
import { encodeByProtobufjs } from './protobufjs-otlp.ts';
import { recordsByProtobufjs } from './records-by-protobufjs.ts';

const PROTOBUFJS = 'protobufjs static decode to the same records';

/** The bytes of requests of 512 spans to records: ids, times, name and the attributes that a convention names. */
export const decodeBenchmarks: readonly Benchmark[] = [
  { name: 'decode-protobuf', rival: PROTOBUFJS, atLeast: 5, stretch: 8, prepare: () => protobufSides(1) },
  { name: 'decode-mixed', rival: PROTOBUFJS, atLeast: 15, stretch: 40, prepare: () => protobufSides(0.1) },
  {
    name: 'decode-json',
    rival: 'JSON.parse to the same records',
    atLeast: 1.5,
    stretch: 2.5,
    prepare: jsonSides,
  },
];

/** Enough that ids of one request are forgotten when it comes again. */
const REQUESTS = 12;

/** Over all requests in a turn, so that the compiler's work, which is done once, weighs little. */
const PASSES = 8;

async function protobufSides(agentShare: number): Promise<Sides> {
  const bodies = requests(agentShare).map(encodeByProtobufjs);
  const recogniser = createRecogniser();
  const { wants } = recogniser.attributes;
  return {
    ours: async () => turnOf(bodies, recogniser, (body) => decodeOtlpProtobuf(body, wants).spans),
    rival: async () => turnOf(bodies, recogniser, (body) => recordsByProtobufjs(body, wants)),
  };
}

async function jsonSides(): Promise<Sides> {
  const bodies = requests(1).map((request) => Buffer.from(JSON.stringify(request)));
  const recogniser = createRecogniser();
  const { wants } = recogniser.attributes;
  return {
    ours: async () => turnOf(bodies, recogniser, (body) => decodeOtlpJson(body, wants).spans),
    rival: async () => turnOf(bodies, recogniser, (body) => recordsByJsonParse(body, wants)),
  };
}

function requests(agentShare: number): OtlpRequestJson[] {
  return Array.from({ length: REQUESTS }, (_, seed) => agentBatch(seed, agentShare));
}

/**
 * Decoding alone is the cost; what the records are recognised as shows that both sides made the same. Each body is
 * copied before, so that it is in the processor's cache, as one that has just come in: into memory that is used again,
 * as that of a receiver is. Of new memory much is not in the cache, even where it was just written to.
 */
function turnOf(
  bodies: readonly Buffer[],
  recogniser: Recogniser,
  decode: (body: Buffer) => readonly Span[],
): Turn {
  const memory = Buffer.allocUnsafeSlow(Math.max(...bodies.map(({ length }) => length)));
  let cost = 0;
  let batches: (readonly Span[])[] = [];
  for (let pass = 0; pass < PASSES; pass++) {
    batches = bodies.map((body) => {
      const received = memory.subarray(0, body.copy(memory));
      const before = process.cpuUsage();
      const spans = decode(received);
      const { user, system } = process.cpuUsage(before);
      cost += user + system;
      return spans;
    });
  }
  const recognised = batches.flat().map((span) => [plainSpan(span), recogniser.recognise(span)]);
  const digest = createHash('sha256').update(JSON.stringify(recognised)).digest('hex');
  return { did: [recognised.length, digest], cost };
}

function recordsByJsonParse(body: Buffer, wants: Wants): Span[] {
  const records: Span[] = [];
  const request = JSON.parse(body.toString('utf8')) as OtlpRequestJson;
  for (const { resource, scopeSpans } of request.resourceSpans) {
    const from = resourceOf(wantedJson(resource.attributes, isResourceKey));
    for (const { scope, spans } of scopeSpans) {
      for (const span of spans) records.push(recordOfJson(span, scope.name, from, wants));
    }
  }
  return records;
}

function recordOfJson(from: SpanJson, scopeName: string, resource: SpanResource, wants: Wants): Span {
  const span = new NumericSpan(scopeName, resource, wantedJson(from.attributes, wants));
  span.traceId = from.traceId;
  readSpanId(from.spanId, ID, 0);
  span.spanHigh = ID[0] ?? 0;
  span.spanLow = ID[1] ?? 0;
  if (from.parentSpanId !== undefined) {
    readSpanId(from.parentSpanId, ID, 0);
    span.parentHigh = ID[0] ?? 0;
    span.parentLow = ID[1] ?? 0;
  }
  span.flags = from.flags;
  span.name = from.name;
  span.kind = from.kind as SpanKind;
  span.statusCode = from.status.code;
  const { startTimeUnixNano: start, endTimeUnixNano: end } = from;
  span.startSeconds = Number(start.slice(0, -9));
  span.startNanos = Number(start.slice(-9));
  span.endSeconds = Number(end.slice(0, -9));
  span.endNanos = Number(end.slice(-9));
  return span;
}

const ID = new Int32Array(2);

function wantedJson(
  attributes: readonly { readonly key: string; readonly value: ValueJson }[],
  wants: Wants,
): Record<string, unknown> {
  const picked: Record<string, unknown> = {};
  for (const { key, value } of attributes) if (wants(key)) picked[key] = plainValue(value);
  return picked;
}

function plainValue({ stringValue, intValue, doubleValue, boolValue }: ValueJson): unknown {
  return stringValue ?? (intValue === undefined ? (doubleValue ?? boolValue) : Number(intValue));
}
