import type { Wants } from '../../conventions/attribute-names.ts';
import { type DecodedBatch, wholeOf } from './otlp-batch.ts';
import { protobufPieces } from './otlp-protobuf-pieces.ts';

/**
 * Decodes an ExportTraceServiceRequest in protobuf (opentelemetry-proto 1.11), reading only what a Span holds and the
 * attributes that are wanted.
 *
 * @throws MalformedBodyError where the bytes are no protobuf message.
 */
export function decodeOtlpProtobuf(bytes: Uint8Array, wants: Wants): DecodedBatch {
  return wholeOf(protobufPieces(bytes, wants, Number.POSITIVE_INFINITY));
}
