import type { Wants } from '../../conventions/attribute-names.ts';
import { MalformedBodyError } from '../otlp/malformed-body-error.ts';
import type { DecodedBatch } from '../otlp/otlp-batch.ts';
import { decodeOtlpJson } from '../otlp/otlp-json.ts';
import { decodeOtlpProtobuf } from '../otlp/otlp-protobuf.ts';
import {
  DEFAULT_FILE_LIMITS,
  type FileLimits,
  type FileProblem,
  fileNameOf,
  type InputFile,
  openFile,
  problemOf,
} from './input-file.ts';
import { readJsonFile } from './json-file.ts';
import type { PeekableBytes } from './peekable-bytes.ts';

export type SpanFileItem = { readonly batch: DecodedBatch } | { readonly problem: FileProblem };

/**
 * Reads the spans of a file, whatever OTLP form it has; its content tells which, and its name only where that does not.
 *
 *     file or stream → unpacked (gzip) → JSON: one request, a list, or one a line → batches and problems
 *                                      → protobuf: one request
 *
 * Never throws: what cannot be read is a problem, and what can be read before and after it is a batch.
 */
export async function* readSpanFile(
  input: InputFile,
  wants: Wants,
  limits: FileLimits = DEFAULT_FILE_LIMITS,
): AsyncGenerator<SpanFileItem, void, undefined> {
  const file = fileNameOf(input);
  try {
    const bytes = await openFile(input, limits);
    const head = await bytes.peek((seen) => seen.length >= SNIFF_BYTES);
    if (isProtobuf(head, file)) {
      yield { batch: decodeOtlpProtobuf(await allOf(bytes, limits.maxDocumentBytes), wants) };
      return;
    }
    const format = {
      mark: 'resourceSpans',
      longNumbers: 'text',
      decode: (json: unknown) => decodeRequest(json, wants),
    } as const;
    for await (const item of readJsonFile(file, bytes, format, limits)) {
      yield 'value' in item ? { batch: item.value } : item;
    }
  } catch (error) {
    yield { problem: problemOf(file, error) };
  }
}

const SNIFF_BYTES = 512;

/**
 * Every request in protobuf has control characters that no text has, from its first attribute or scope on. What is
 * text, be it JSON or not, is taken for JSON, whose errors say more; and so is what begins like it. Only where neither
 * is plain does the name count.
 */
function isProtobuf(head: Buffer, file: string): boolean {
  if (isJsonStart(head[0] ?? 0x20)) return false;
  if (head.some((byte) => byte < 0x20 && !isJsonSpace(byte))) return true;
  const first = head.find((byte) => byte > 0x20) ?? 0x20;
  return PROTOBUF_NAME.test(file) && !isJsonStart(first);
}

const PROTOBUF_NAME = /\.(?:pb|binpb|bin)(?:\.gz)?$/i;

function isJsonStart(byte: number): boolean {
  return byte === 0x7b || byte === 0x5b;
}

function isJsonSpace(byte: number): boolean {
  return byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

async function allOf(bytes: PeekableBytes, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    if (size > maxBytes) {
      throw new MalformedBodyError(`expected at most ${maxBytes} bytes in one request`, maxBytes);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** A receiver takes any object for a request, by the rules of OTLP; a file without spans is rather the wrong file. */
function decodeRequest(json: unknown, wants: Wants): DecodedBatch {
  const batch = decodeOtlpJson(json, wants);
  if (batch.spans.length === 0 && batch.rejected === 0 && isForeign(json)) {
    throw new MalformedBodyError('expected an OTLP request with the field resourceSpans');
  }
  return batch;
}

/** Requests of other signals may stand in the same file. */
const SIGNALS = ['resourceSpans', 'resourceMetrics', 'resourceLogs', 'resourceProfiles'];

function isForeign(json: unknown): boolean {
  const keys = Object.keys(json ?? {});
  return keys.length > 0 && !SIGNALS.some((signal) => keys.includes(signal));
}
