import type { Wants } from '../../conventions/attribute-names.ts';
import type { Attributes } from '../../model/own-attributes.ts';
import type { SpanResource } from '../../model/span.ts';
import { OtlpBatch, type SpanPieces } from './otlp-batch.ts';
import { wantAttributes } from './otlp-protobuf-attributes.ts';
import {
  isScopeSpans,
  REQUEST,
  RESOURCE_SPANS,
  readResource,
  readScopeName,
  SCOPE_SPANS,
} from './otlp-protobuf-shared.ts';
import { readSpan } from './otlp-protobuf-span.ts';
import { MANY_FIELDS, ProtobufReader } from './protobuf-reader.ts';
import { NO_RESOURCE, resourceOf } from './resource.ts';

/**
 * Decodes a request in protobuf (opentelemetry-proto 1.11) a piece at a time:
 *
 *     request → ResourceSpans → ScopeSpans → Span
 *
 * Fields may come in any order, so a message is walked twice: for what its spans share, and for the spans. Nothing is
 * kept of the walk, so that no body costs more than the spans of a piece, whatever it is made of.
 *
 * @param pieceBytes how much is read in one go.
 * @throws MalformedBodyError where the bytes are no protobuf message.
 */
export function* protobufPieces(bytes: Uint8Array, wants: Wants, pieceBytes: number): SpanPieces {
  const reader = new ProtobufReader(bytes);
  const batch = new OtlpBatch();
  const begin = () => {
    // What is decoded during a pause may want other attributes.
    wantAttributes(wants);
    reader.fieldsLeft = mostFields(bytes.length, pieceBytes);
    return reader.position + pieceBytes;
  };
  const pause = function* () {
    yield batch.piece();
    return begin();
  };
  let pauseAt = begin();
  while (reader.isInside) {
    const tag = reader.tag();
    if (tag !== REQUEST.resourceSpans) reader.skip(tag);
    else {
      const outer = reader.enter();
      const from = reader.position;
      const attributes = findResource(reader);
      let resource: SpanResource | undefined;
      reader.position = from;
      while (reader.isInside) {
        const tag = reader.tag();
        if (!isScopeSpans(tag)) reader.skip(tag);
        else {
          const outer = reader.enter();
          const from = reader.position;
          const scopeName = findScopeName(reader);
          reader.position = from;
          resource ??= attributes === undefined ? NO_RESOURCE : resourceOf(attributes);
          while (reader.isInside) {
            readSpans(reader, scopeName, resource, batch, pauseAt);
            if (reader.position >= pauseAt) pauseAt = yield* pause();
          }
          reader.leave(outer);
        }
        if (reader.position >= pauseAt) pauseAt = yield* pause();
      }
      reader.leave(outer);
    }
    if (reader.position >= pauseAt) pauseAt = yield* pause();
  }
  return batch.take();
}

/**
 * How many fields may be read between two pauses: those of a piece, of a byte or more each, and those that are walked
 * over meanwhile to find what spans share. These are spans, which take 28 bytes or more each, so there are half as many
 * as this allows. What has more is made of empty fields, and to walk over it could take seconds.
 */
function mostFields(bodyBytes: number, pieceBytes: number): number {
  if (pieceBytes === Number.POSITIVE_INFINITY) return MANY_FIELDS;
  return Math.max(pieceBytes, LEAST_FIELDS) + Math.ceil(bodyBytes / 16);
}

/** To read so many takes some milliseconds. */
const LEAST_FIELDS = 2 ** 18;

/** Those of a ScopeSpans, up to where it is time to pause. */
function readSpans(
  reader: ProtobufReader,
  scopeName: string,
  resource: SpanResource,
  batch: OtlpBatch,
  pauseAt: number,
): void {
  while (reader.isInside && reader.position < pauseAt) {
    const tag = reader.tag();
    if (tag === SCOPE_SPANS.spans) readSpan(reader, scopeName, resource, batch);
    else reader.skip(tag);
  }
}

/** Of a ResourceSpans, whose other fields are skipped. @returns undefined where there are none. */
function findResource(reader: ProtobufReader): Attributes | undefined {
  let attributes: Attributes | undefined;
  while (reader.isInside) {
    const tag = reader.tag();
    if (tag === RESOURCE_SPANS.resource) attributes = readResource(reader, attributes);
    else reader.skip(tag);
  }
  return attributes;
}

/** Of a ScopeSpans, whose other fields are skipped. */
function findScopeName(reader: ProtobufReader): string {
  let name = '';
  while (reader.isInside) {
    const tag = reader.tag();
    if (tag === SCOPE_SPANS.scope) name = readScopeName(reader) ?? name;
    else reader.skip(tag);
  }
  return name;
}
