import type { Wants } from '../../conventions/attribute-names.ts';
import { parseJson } from './json-text.ts';
import { MAX_PARSED_BYTES } from './json-values.ts';
import { type DecodedBatch, wholeOf } from './otlp-batch.ts';
import { jsonPieces } from './otlp-json-pieces.ts';
import { scanJsonRequest } from './otlp-json-scan.ts';
import { decodeJsonRequest } from './otlp-json-value.ts';

/**
 * Decodes an ExportTraceServiceRequest in OTLP's JSON mapping (opentelemetry-proto 1.11): ids in hex of any case, names
 * in lowerCamelCase, 64-bit numbers as strings or numbers, enums as integers, unknown fields ignored. A null stands
 * for an absent field.
 *
 *     bytes → scan, as senders write it → DecodedBatch
 *           → else, of any other form → parseJson → request → DecodedBatch
 *           → and too large for that → pieces → DecodedBatch
 *
 * @param body its bytes, its text, or what `parseJson` made of it. JSON.parse instead would round bare nanoseconds.
 * @throws MalformedBodyError where the text is no JSON, or its outer structure is not that of a request.
 */
export function decodeOtlpJson(body: unknown, wants: Wants): DecodedBatch {
  if (typeof body === 'string') return decodeBytes(Buffer.from(body), wants);
  return body instanceof Uint8Array ? decodeBytes(body, wants) : decodeJsonRequest(body, wants);
}

function decodeBytes(bytes: Uint8Array, wants: Wants): DecodedBatch {
  const batch = scanJsonRequest(bytes, wants);
  if (batch !== undefined) return batch;
  if (bytes.length > MAX_PARSED_BYTES) return wholeOf(jsonPieces(bytes, wants, Number.POSITIVE_INFINITY));
  const { buffer, byteOffset, byteLength } = bytes;
  const text = Buffer.from(buffer, byteOffset, byteLength).toString('utf8');
  return decodeJsonRequest(parseJson(text), wants);
}
