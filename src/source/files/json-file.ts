import { parseJson } from '../otlp/json-text.ts';
import { MalformedBodyError } from '../otlp/malformed-body-error.ts';
import type { FileLimits, FileProblem } from './input-file.ts';
import { type JsonPiece, splitLines, splitValues } from './json-pieces.ts';
import type { PeekableBytes } from './peekable-bytes.ts';

/** What the documents of a JSON file are. */
export interface JsonFormat<T> {
  /** A field that every document has; tells whole documents on a line from parts of one. */
  readonly mark: string;
  readonly longNumbers: 'text' | 'rounded';
  /** @throws MalformedBodyError */
  decode(json: unknown): T;
}

export type JsonFileItem<T> = { readonly value: T } | { readonly problem: FileProblem };

/**
 * Reads a JSON file that holds one document, a list of them, several one after another, or one a line, with no more
 * than one in memory. Which it is shows in the file's first lines. A document that cannot be read is a problem, and
 * those that follow are read all the same, as far as it is clear where they begin.
 */
export async function* readJsonFile<T>(
  file: string,
  bytes: PeekableBytes,
  format: JsonFormat<T>,
  limits: FileLimits,
): AsyncGenerator<JsonFileItem<T>, void, undefined> {
  const head = await bytes.peek(isTelling);
  const split = isByLine(head, bytes.isAtEnd, format.mark) ? splitLines : splitValues;
  let problems = 0;
  for await (const piece of split(bytes, limits.maxDocumentBytes)) {
    for (const item of readPiece(file, piece, format)) {
      if ('problem' in item) problems++;
      if ('value' in item || problems <= limits.maxProblems) yield item;
    }
  }
  const unnamed = problems - limits.maxProblems;
  if (unnamed > 0) yield { problem: { file, reason: `${unnamed} more problems of this kind` } };
}

/** The first lines decide; where they are longer than this, the file is split by its brackets. */
const MAX_PEEK_BYTES = 8 * 2 ** 20;
/** A file that begins with more blanks than this is read line by line. */
const MAX_BLANK_BYTES = 65_536;

/** Whether `isByLine` can judge: a list shows at once, else it takes two lines. */
function isTelling(head: Buffer): boolean {
  const start = firstCharacter(head);
  if (start === undefined) return head.length >= MAX_BLANK_BYTES;
  return start !== '{' || head.length >= MAX_PEEK_BYTES || completeLines(head).length > 1;
}

function firstCharacter(head: Buffer): string | undefined {
  return /[^\s\ufeff]/.exec(head.subarray(0, MAX_BLANK_BYTES).toString('utf8'))?.[0];
}

function completeLines(head: Buffer): string[] {
  const lines = head.subarray(0, head.lastIndexOf('\n') + 1).toString('utf8');
  return lines.split('\n').filter((line) => /\S/.test(line));
}

/**
 * A list is split by its items. Else the file is one document a line if its first line is a document or no JSON at
 * all, or, should the first line be the broken one, if another line is a document.
 */
function isByLine(head: Buffer, isAll: boolean, mark: string): boolean {
  const start = firstCharacter(head);
  if (start === '[') return false;
  if (start !== '{') return true;
  const [first, ...others] = completeLines(isAll ? Buffer.concat([head, Buffer.from('\n')]) : head);
  if (first === undefined) return false;
  return parsed(first) !== undefined || others.some((line) => hasMark(parsed(line), mark));
}

function parsed(line: string): unknown {
  if (!/^\s*[{\ufeff]/.test(line)) return undefined;
  try {
    return parseJson(line);
  } catch {
    return undefined;
  }
}

function hasMark(json: unknown, mark: string): boolean {
  return typeof json === 'object' && json !== null && Object.hasOwn(json, mark);
}

function* readPiece<T>(file: string, piece: JsonPiece, format: JsonFormat<T>): Generator<JsonFileItem<T>> {
  if (piece.text === undefined) {
    yield { problem: problemAt(file, piece, piece.fault ?? 'expected JSON', 0) };
    return;
  }
  try {
    const json = parseJson(piece.text, format.longNumbers);
    if (!Array.isArray(json)) {
      yield { value: format.decode(json) };
      return;
    }
    for (const [index, item] of json.entries()) yield readItem(file, piece, format, item, index);
  } catch (error) {
    if (!(error instanceof MalformedBodyError)) throw error;
    yield { problem: problemAt(file, piece, error.reason, error.byteOffset) };
  }
}

function readItem<T>(
  file: string,
  piece: JsonPiece,
  format: JsonFormat<T>,
  json: unknown,
  index: number,
): JsonFileItem<T> {
  try {
    return { value: format.decode(json) };
  } catch (error) {
    if (!(error instanceof MalformedBodyError)) throw error;
    return { problem: problemAt(file, piece, `item ${index + 1}: ${error.reason}`) };
  }
}

/** Without an offset, a line is named by its number and any other piece by its start. */
function problemAt(file: string, piece: JsonPiece, reason: string, offset?: number): FileProblem {
  const { byte, line } = piece;
  if (line === undefined) return { file, byte: byte + (offset ?? 0), reason };
  return { file, line, ...(offset !== undefined && { byte: byte + offset }), reason };
}
