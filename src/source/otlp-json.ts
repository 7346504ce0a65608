import { parseJson } from './json-text.ts';
import type { DecodedBatch, Wants } from './otlp-batch.ts';
import { scanJsonRequest } from './otlp-json-scan.ts';
import { decodeJsonRequest } from './otlp-json-value.ts';

/**
 * Decodes an ExportTraceServiceRequest in OTLP's JSON mapping (opentelemetry-proto 1.11): ids in hex of any case, names
 * in lowerCamelCase, 64-bit numbers as strings or numbers, enums as integers, unknown fields ignored. A null stands
 * for an absent field.
 *
 *     bytes → scan, as senders write it → DecodedBatch
 *           → else, of any other form → parseJson → request → DecodedBatch
 *
 * @param body its bytes, its text, or what `parseJson` made of it. JSON.parse instead would round bare nanoseconds.
 * @throws MalformedBodyError where the text is no JSON, or its outer structure is not that of a request.
 */
export function decodeOtlpJson(body: unknown, wants: Wants): DecodedBatch {
  if (typeof body === 'string') {
    return scanJsonRequest(Buffer.from(body), wants) ?? decodeJsonRequest(parseJson(body), wants);
  }
  if (body instanceof Uint8Array) {
    return scanJsonRequest(body, wants) ?? decodeJsonRequest(parseJson(textOf(body)), wants);
  }
  return decodeJsonRequest(body, wants);
}

function textOf({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('utf8');
}
