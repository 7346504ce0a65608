import type { Wants } from '../../conventions/attribute-names.ts';
import type { SpanResource } from '../../model/span.ts';
import { type Attributes, type DecodedBatch, OtlpBatch, wholeOf } from './otlp-batch.ts';
import { wantAttributes } from './otlp-protobuf-attributes.ts';
import { protobufPieces } from './otlp-protobuf-pieces.ts';
import {
  isScopeSpans,
  REQUEST,
  RESOURCE_SPANS,
  readResource,
  readScopeName,
  SCOPE_SPANS,
} from './otlp-protobuf-shared.ts';
import { readSpan } from './otlp-protobuf-span.ts';
import { ProtobufReader } from './protobuf-reader.ts';
import { NO_RESOURCE, resourceOf } from './resource.ts';

/**
 * Decodes an ExportTraceServiceRequest in protobuf (opentelemetry-proto 1.11), reading only what a Span holds and the
 * attributes that are wanted.
 *
 * @throws MalformedBodyError where the bytes are no protobuf message.
 */
export function decodeOtlpProtobuf(bytes: Uint8Array, wants: Wants): DecodedBatch {
  return inOneWalk(bytes, wants) ?? wholeOf(protobufPieces(bytes, wants, Number.POSITIVE_INFINITY));
}

/**
 * As everybody writes it, what spans share stands before them, so that to walk over them once is enough. To walk over
 * them twice would be little work, but where a body is not in the processor's cache each step is waited for.
 *
 * @returns undefined where it stands elsewhere.
 */
function inOneWalk(bytes: Uint8Array, wants: Wants): DecodedBatch | undefined {
  const reader = new ProtobufReader(bytes);
  const batch = new OtlpBatch();
  wantAttributes(wants);
  while (reader.isInside) {
    const tag = reader.tag();
    if (tag !== REQUEST.resourceSpans) reader.skip(tag);
    else if (!readResourceSpans(reader, batch)) return undefined;
  }
  return batch.take();
}

/** @returns false where a resource follows spans. */
function readResourceSpans(reader: ProtobufReader, batch: OtlpBatch): boolean {
  let attributes: Attributes | undefined;
  let resource: SpanResource | undefined;
  const outer = reader.enter();
  while (reader.isInside) {
    const tag = reader.tag();
    if (isScopeSpans(tag)) {
      resource ??= attributes === undefined ? NO_RESOURCE : resourceOf(attributes);
      if (!readScopeSpans(reader, resource, batch)) return false;
    } else if (tag === RESOURCE_SPANS.resource) {
      if (resource !== undefined) return false;
      attributes = readResource(reader, attributes);
    } else reader.skip(tag);
  }
  reader.leave(outer);
  return true;
}

/** @returns false where a scope follows spans. */
function readScopeSpans(reader: ProtobufReader, resource: SpanResource, batch: OtlpBatch): boolean {
  let scopeName = '';
  let hasSpans = false;
  const outer = reader.enter();
  while (reader.isInside) {
    const tag = reader.tag();
    if (tag === SCOPE_SPANS.spans) {
      hasSpans = true;
      readSpan(reader, scopeName, resource, batch);
    } else if (tag === SCOPE_SPANS.scope) {
      if (hasSpans) return false;
      scopeName = readScopeName(reader) ?? scopeName;
    } else reader.skip(tag);
  }
  reader.leave(outer);
  return true;
}
