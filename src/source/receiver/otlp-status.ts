import { PbfWriter } from 'pbf';
import { MalformedBodyError } from '../otlp/malformed-body-error.ts';
import { ProtobufReader, tags } from '../otlp/protobuf-reader.ts';
import { CODES, type Refusal } from './refusal.ts';

/** How OTLP's messages are written. */
export type OtlpEncoding = 'protobuf' | 'json';

/** What an export request came to, where at least its outer form was good. */
export interface ExportResult {
  readonly rejected: number;
  /** Why; absent where none was rejected. */
  readonly message?: string;
}

/**
 * An Export…ServiceResponse. Where all is well it is empty: `partial_success` must not be set then, and some senders
 * take it for a loss.
 */
export function encodeExportResponse({ rejected, message = '' }: ExportResult, as: OtlpEncoding): Uint8Array {
  if (as === 'json') {
    // 64-bit numbers are strings in protobuf's JSON.
    const partialSuccess = { rejectedSpans: String(rejected), errorMessage: message };
    return json(rejected === 0 ? {} : { partialSuccess });
  }
  if (rejected === 0) return new Uint8Array();
  const pbf = new PbfWriter();
  pbf.writeMessage(
    1,
    (_, partial) => {
      partial.writeVarintField(1, rejected);
      partial.writeStringField(2, message);
    },
    undefined,
  );
  return pbf.finish();
}

/** A google.rpc.Status, with details where its kind has any: RetryInfo, or BadRequest. */
export function encodeStatus(refusal: Refusal, as: OtlpEncoding): Uint8Array {
  const { code, message, retryAfterSeconds } = refusal;
  if (as === 'json') {
    const details: unknown[] = [];
    if (retryAfterSeconds !== undefined) {
      details.push({ '@type': RETRY_INFO, retryDelay: `${retryAfterSeconds}s` });
    }
    if (isBadRequest(refusal))
      details.push({ '@type': BAD_REQUEST, fieldViolations: [{ description: message }] });
    return json({ code, message, ...(details.length > 0 && { details }) });
  }
  const pbf = new PbfWriter();
  pbf.writeVarintField(1, code);
  pbf.writeStringField(2, message);
  if (retryAfterSeconds !== undefined) writeDetail(pbf, RETRY_INFO, retryInfo(retryAfterSeconds));
  if (isBadRequest(refusal)) writeDetail(pbf, BAD_REQUEST, badRequest(message));
  return pbf.finish();
}

/** Whether the Status of this refusal says more than code and message; only then gRPC carries it. */
export function hasDetails(refusal: Refusal): boolean {
  return refusal.retryAfterSeconds !== undefined || isBadRequest(refusal);
}

/**
 * Reads a Status in protobuf that came from elsewhere.
 * @returns undefined where it is none, or has no code.
 */
export function readStatus(
  bytes: Uint8Array,
): { readonly code: number; readonly message: string } | undefined {
  let code = 0;
  let message = '';
  try {
    const reader = new ProtobufReader(bytes);
    reader.fields((tag) => {
      if (tag === STATUS.code) code = reader.uint();
      if (tag === STATUS.message) message = reader.text(MAX_MESSAGE_LENGTH);
    });
  } catch (error) {
    if (!(error instanceof MalformedBodyError)) throw error;
    return undefined;
  }
  return code > 0 && code <= 16 ? { code, message } : undefined;
}

const STATUS = { code: tags.varint(1), message: tags.bytes(2) };
/** gRPC carries the message in a header field. */
const MAX_MESSAGE_LENGTH = 1_024;
const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo';
const BAD_REQUEST = 'type.googleapis.com/google.rpc.BadRequest';

/** Other kinds of 400 are faults of gRPC's frames, not of the request. */
function isBadRequest({ code, httpStatus }: Refusal): boolean {
  return httpStatus === 400 && code === CODES.invalidArgument;
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

/** An Any in the field `details`. */
function writeDetail(pbf: PbfWriter, type: string, value: Uint8Array): void {
  pbf.writeMessage(
    3,
    (_, any) => {
      any.writeStringField(1, type);
      any.writeBytesField(2, value);
    },
    undefined,
  );
}

function retryInfo(seconds: number): Uint8Array {
  const pbf = new PbfWriter();
  pbf.writeMessage(1, (_, duration) => duration.writeVarintField(1, seconds), undefined);
  return pbf.finish();
}

function badRequest(description: string): Uint8Array {
  const pbf = new PbfWriter();
  pbf.writeMessage(1, (_, violation) => violation.writeStringField(2, description), undefined);
  return pbf.finish();
}
