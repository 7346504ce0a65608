import { createReadStream } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { errorCode } from '../../support/error-code.ts';
import { MalformedBodyError } from '../otlp/malformed-body-error.ts';
import { PeekableBytes } from './peekable-bytes.ts';

/** A path, or an open stream such as standard input. */
export type InputFile = string | AsyncIterable<Uint8Array>;

/** What is wrong with a file or a part of it. */
export interface FileProblem {
  /** The path as it was given; `-` for a stream. */
  readonly file: string;
  /** Counted from 1; only in files of one document a line. */
  readonly line?: number;
  /** Offset from the start of the file, once unpacked. Absent where no single place is at fault. */
  readonly byte?: number;
  /** What was expected; never holds any of the file's content. */
  readonly reason: string;
}

/** Bounds that keep a hostile or mistaken file from taking all memory or time. */
export interface FileLimits {
  /** Largest single request: one line, one list item, or one protobuf file. Default 256 MiB. */
  readonly maxDocumentBytes: number;
  /** Largest file, once unpacked; it is not held in memory. Default 64 GiB. */
  readonly maxFileBytes: number;
  /** How many problems of one file are named one by one. Default 100. */
  readonly maxProblems: number;
}

export const DEFAULT_FILE_LIMITS: FileLimits = {
  maxDocumentBytes: 256 * 2 ** 20,
  maxFileBytes: 64 * 2 ** 30,
  maxProblems: 100,
};

export function fileNameOf(input: InputFile): string {
  return typeof input === 'string' ? input : '-';
}

/** Opens a file for reading and unpacks it where it is gzip, told by its first bytes and not by its name. */
export async function openFile(input: InputFile, limits: FileLimits): Promise<PeekableBytes> {
  const chunks = typeof input === 'string' ? createReadStream(input, { highWaterMark: CHUNK_BYTES }) : input;
  const packed = new PeekableBytes(chunks);
  const head = await packed.peek((bytes) => bytes.length >= ZSTD_MAGIC.length);
  if (startsWith(head, ZSTD_MAGIC)) {
    throw new MalformedBodyError(
      'expected gzip or no compression; this is zstd, which must be unpacked first',
      0,
    );
  }
  if (!startsWith(head, GZIP_MAGIC)) {
    return new PeekableBytes(bounded(packed, limits.maxFileBytes));
  }
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  // A failure also destroys the last stream, and is thrown to whoever reads that.
  pipeline(Readable.from(packed, { objectMode: false }), gunzip, () => {});
  return new PeekableBytes(bounded(gunzip, limits.maxFileBytes));
}

/** Says what kept a file from being read, without its content. */
export function problemOf(file: string, error: unknown): FileProblem {
  if (error instanceof MalformedBodyError) {
    const { reason, byteOffset } = error;
    return { file, reason, ...(byteOffset !== undefined && { byte: byteOffset }) };
  }
  const code = errorCode(error) ?? 'unknown error';
  return { file, reason: REASONS[code] ?? `the file cannot be read (${code})` };
}

const CHUNK_BYTES = 256 * 1_024;
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);
const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

function startsWith(bytes: Buffer, magic: Buffer): boolean {
  return bytes.subarray(0, magic.length).equals(magic);
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'this is a directory, expected a file',
  EACCES: 'the file may not be read by this user',
  EPERM: 'the file may not be read by this user',
  Z_BUF_ERROR: 'the gzip data ends too early',
  Z_DATA_ERROR: 'expected valid gzip data',
};

async function* bounded(chunks: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > maxBytes)
      throw new MalformedBodyError(`expected at most ${maxBytes} bytes in a file`, maxBytes);
    yield chunk;
  }
}
