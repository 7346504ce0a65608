import { agentBatch, type OtlpRequestJson, type SpanJson } from './agent-batch.ts';
import { encodeByProtobufjs } from './protobufjs-otlp.ts';

/**
 * An export request that can be sent many times, with ids that are new each time: a buffer takes a span that it knows
 * for a duplicate.
 */
export class OtlpLoad {
  readonly contentType: 'application/x-protobuf' | 'application/json';
  readonly body: Buffer;
  readonly spans: number;
  /** Where the first 32 bits of each id stand in the body, and what they were. */
  readonly #places: readonly (readonly [at: number, bits: number])[];

  constructor(request: OtlpRequestJson, as: 'protobuf' | 'json') {
    const spans = spansOf(request);
    const isJson = as === 'json';
    this.contentType = isJson ? 'application/json' : 'application/x-protobuf';
    this.body = isJson ? Buffer.from(JSON.stringify(request)) : encodeByProtobufjs(request);
    this.spans = spans.length;
    this.#places = placesOf(this.body, spans, isJson ? 'latin1' : 'hex');
  }

  /** The body with the ids of a generation; requests with parts of one trace must be of one generation. */
  of(generation: number): Buffer {
    for (const [at, bits] of this.#places) {
      const mixed = (bits ^ generation) >>> 0;
      if (this.contentType === 'application/json') this.body.write(hexOf(mixed), at, 'latin1');
      else this.body.writeUInt32BE(mixed, at);
    }
    return this.body;
  }
}

export interface LoadOptions {
  /** How many batches of 512 spans. */
  readonly batches: number;
  /** Of the first batch; batches of different seeds have no id in common. Default 0. */
  readonly seed?: number;
  /** Of the spans. Default 1. */
  readonly agentShare?: number;
  readonly as?: 'protobuf' | 'json';
}

/** Requests of 512 spans of 1 KB strings, about 1.4 MB. */
export function largeLoads({ as = 'protobuf', ...options }: LoadOptions): OtlpLoad[] {
  return batchesOf(options).map((batch) => new OtlpLoad(batch, as));
}

/** The same spans in requests of 17 at most, about 46 KB. */
export function smallLoads({ as = 'protobuf', ...options }: LoadOptions): OtlpLoad[] {
  return batchesOf(options)
    .flatMap(piecesOf)
    .map((piece) => new OtlpLoad(piece, as));
}

function batchesOf({ batches, seed = 0, agentShare = 1 }: Omit<LoadOptions, 'as'>): OtlpRequestJson[] {
  return Array.from({ length: batches }, (_, index) => agentBatch(seed + index, agentShare));
}

const SPANS_PER_PIECE = 17;

function piecesOf({ resourceSpans }: OtlpRequestJson): OtlpRequestJson[] {
  const pieces: OtlpRequestJson[] = [];
  for (const { resource, scopeSpans } of resourceSpans) {
    for (const { scope, spans } of scopeSpans) {
      for (let from = 0; from < spans.length; from += SPANS_PER_PIECE) {
        const piece = { scope, spans: spans.slice(from, from + SPANS_PER_PIECE) };
        pieces.push({ resourceSpans: [{ resource, scopeSpans: [piece] }] });
      }
    }
  }
  return pieces;
}

function spansOf({ resourceSpans }: OtlpRequestJson): SpanJson[] {
  return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
}

/** Ids stand in the order of the spans; those of a span, in the order of its fields. */
function placesOf(
  body: Buffer,
  spans: readonly SpanJson[],
  encoding: 'hex' | 'latin1',
): (readonly [number, number])[] {
  const places: (readonly [number, number])[] = [];
  let from = 0;
  for (const { traceId, spanId, parentSpanId } of spans) {
    for (const id of [traceId, spanId, parentSpanId ?? []].flat()) {
      const bytes = Buffer.from(id, encoding);
      const at = body.indexOf(bytes, from);
      if (at < 0) throw new Error('an id is not where it should be');
      places.push([at, Number.parseInt(id.slice(0, 8), 16)]);
      from = at + bytes.length;
    }
  }
  return places;
}

function hexOf(bits: number): string {
  return bits.toString(16).padStart(8, '0');
}
