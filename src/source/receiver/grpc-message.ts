import type { Readable } from 'node:stream';
import { BoundedBytes } from './bounded-bytes.ts';
import { readBody } from './read-body.ts';
import { Refusal } from './refusal.ts';
import type { Room } from './room.ts';

/** A message of a call, before it is inflated. */
export interface GrpcMessage {
  readonly bytes: Buffer;
  readonly isCompressed: boolean;
}

export interface ReadMessageOptions {
  readonly room: Room;
  readonly maxBytes: number;
  readonly timeoutMillis: number;
}

/** A flag and a length stand before each message. */
const PREFIX_BYTES = 5;

/**
 * Reads the one message of a unary call. What is wrong with the framing is refused as gRPC's own servers do: the number
 * of messages by the table of grpc/doc/statuscodes.md, torn and unknown frames as grpc-go does (rpc_util.go).
 * @throws Refusal, or SenderGoneError
 */
export async function readGrpcMessage(
  stream: Readable,
  { room, maxBytes, timeoutMillis }: ReadMessageOptions,
): Promise<GrpcMessage> {
  const prefix = Buffer.allocUnsafe(PREFIX_BYTES);
  let prefixSize = 0;
  let length = 0;
  let body: BoundedBytes | undefined;
  const onChunk = (chunk: Buffer) => {
    let rest = chunk;
    if (body === undefined) {
      const taken = chunk.copy(prefix, prefixSize);
      prefixSize += taken;
      if (prefixSize < PREFIX_BYTES) return;
      rest = chunk.subarray(taken);
      length = prefix.readUInt32BE(1);
      body = new BoundedBytes(room, maxBytes, length);
    }
    if (body.size + rest.length > length) throw Refusal.wrongNumberOfMessages();
    body.push(rest);
  };
  await readBody(stream, { timeoutMillis, onChunk });
  const flag = prefix.readUInt8(0);
  if (prefixSize === 0) throw Refusal.wrongNumberOfMessages();
  if (body === undefined || body.size < length) throw Refusal.garbled('expected a whole message');
  if (flag > 1) throw Refusal.garbled('expected 0 or 1 as the flag of a message');
  return { bytes: body.finish(), isCompressed: flag === 1 };
}
