import { isUtf8 } from 'node:buffer';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { JsonScan } from '../otlp/json-scan.ts';
import { MalformedBodyError } from '../otlp/malformed-body-error.ts';
import { ProtobufReader } from '../otlp/protobuf-reader.ts';
import type { OtlpRequest } from './otlp-sink.ts';

/** What is looked at in one turn of the event loop: some milliseconds. */
const STEP_BYTES = 2 ** 20;
const STEP_FIELDS = 2 ** 17;

/**
 * Looks whether a body that nobody reads is a message of its type at all: what is none is not passed on as one. Nothing
 * is made of it, and other work has its turn meanwhile.
 * @throws MalformedBodyError
 */
export async function skim(contentType: OtlpRequest['contentType'], bytes: Uint8Array): Promise<void> {
  const step = contentType === 'application/json' ? stepsOfJson(bytes) : stepsOfProtobuf(bytes);
  while (!step()) await nextTurn();
}

function stepsOfJson(bytes: Uint8Array): () => boolean {
  assertUtf8(bytes);
  const scan = new JsonScan(bytes);
  return () => scan.step(STEP_BYTES);
}

/** The outermost fields only: whose they are is known to who reads them. */
function stepsOfProtobuf(bytes: Uint8Array): () => boolean {
  const reader = new ProtobufReader(bytes);
  return () => {
    for (let field = 0; field < STEP_FIELDS && reader.isInside; field++) reader.skip(reader.tag());
    return !reader.isInside;
  };
}

/** JSON is UTF-8 (RFC 8259, 8.1); decoding would put other characters in the place of what is not. */
export function assertUtf8(bytes: Uint8Array): void {
  if (!isUtf8(bytes)) throw new MalformedBodyError('expected JSON in UTF-8');
}
