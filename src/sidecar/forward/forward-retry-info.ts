import { MalformedBodyError } from '../../source/otlp/malformed-body-error.ts';
import { ProtobufReader, tags } from '../../source/otlp/protobuf-reader.ts';

/**
 * When to come again, by the RetryInfo among the details of a google.rpc.Status in protobuf: gRPC's Retry-After.
 * @returns whole seconds, not negative; undefined where there is none.
 */
export function retryInfoSeconds(status: Uint8Array): number | undefined {
  let found: number | undefined;
  try {
    const reader = new ProtobufReader(status);
    reader.fields((tag) => {
      if (tag === STATUS.details) found = readDetail(reader) ?? found;
    });
  } catch (error) {
    if (!(error instanceof MalformedBodyError)) throw error;
    return undefined;
  }
  return found;
}

const STATUS = { details: tags.bytes(3) };
const ANY = { typeUrl: tags.bytes(1), value: tags.bytes(2) };
const RETRY_INFO = { retryDelay: tags.bytes(1) };
const DURATION = { seconds: tags.varint(1), nanos: tags.varint(2) };

function readDetail(reader: ProtobufReader): number | undefined {
  let type = '';
  let value: Uint8Array | undefined;
  reader.message((tag) => {
    if (tag === ANY.typeUrl) type = reader.text(256);
    if (tag === ANY.value) value = reader.bytes();
  });
  return value !== undefined && type.endsWith('/google.rpc.RetryInfo') ? readRetryInfo(value) : undefined;
}

/** A RetryInfo without a delay means that the sender may come again, whenever it likes. */
function readRetryInfo(bytes: Uint8Array): number {
  const reader = new ProtobufReader(bytes);
  let seconds = 0;
  let nanos = 0;
  reader.fields((tag) => {
    if (tag !== RETRY_INFO.retryDelay) return;
    reader.message((part) => {
      if (part === DURATION.seconds) seconds = Number(reader.int64());
      if (part === DURATION.nanos) nanos = Number(reader.int64());
    });
  });
  return Math.max(0, Math.ceil(seconds + nanos / 1e9));
}
