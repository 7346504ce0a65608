import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { MalformedBodyError } from '../otlp/malformed-body-error.ts';
import type { BoundedBytes } from './bounded-bytes.ts';
import { Refusal } from './refusal.ts';

/** Node from 22.15 on has zstd, which the types of older lines do not know. */
type Zstd = (options: { params: Record<number, number>; chunkSize: number }) => Transform;
const { createZstdDecompress } = zlib as { createZstdDecompress?: Zstd };
const { ZSTD_d_windowLogMax = 100 } = zlib.constants as { ZSTD_d_windowLogMax?: number };

const CHUNK_BYTES = 65_536;
/** 8 MiB, what RFC 9659 lets a sender use; the format itself allows gigabytes. */
const MAX_WINDOW_LOG = 23;

const INFLATERS: Readonly<Record<string, () => Transform>> = {
  gzip: () => zlib.createGunzip({ chunkSize: CHUNK_BYTES }),
  deflate: () => zlib.createInflate({ chunkSize: CHUNK_BYTES }),
  ...(createZstdDecompress !== undefined && {
    zstd: () =>
      createZstdDecompress({ params: { [ZSTD_d_windowLogMax]: MAX_WINDOW_LOG }, chunkSize: CHUNK_BYTES }),
  }),
};

/** What `inflate` can undo. */
export const CONTENT_ENCODINGS: readonly string[] = ['identity', ...Object.keys(INFLATERS)];

/** Whether a body of this encoding must be inflated; senders may write the name in any case, and gzip as `x-gzip`. */
export function normalEncoding(name: string | undefined): string | undefined {
  const encoding = name?.trim().toLowerCase() ?? '';
  if (encoding === '' || encoding === 'identity') return undefined;
  return encoding === 'x-gzip' ? 'gzip' : encoding;
}

/**
 * Inflates a body, and stops at the first byte beyond the bound: what a bomb would become is never held.
 * @throws MalformedBodyError for what is not in that encoding, Refusal for what is too large or in one not known.
 */
export async function inflate(body: Uint8Array, encoding: string, into: () => BoundedBytes): Promise<Buffer> {
  const create = Object.hasOwn(INFLATERS, encoding) ? INFLATERS[encoding] : undefined;
  if (create === undefined) throw Refusal.unknownEncoding(CONTENT_ENCODINGS);
  const inflated = into();
  const inflater = create();
  try {
    inflater.end(body);
    for await (const chunk of inflater) inflated.push(chunk);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new MalformedBodyError(`expected valid ${encoding} data`);
  } finally {
    inflater.destroy();
  }
  return inflated.finish();
}
