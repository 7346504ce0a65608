/** A stretch of a file that should be one JSON document. */
export interface JsonPiece {
  /** Where it begins, in bytes from the start of the file. */
  readonly byte: number;
  /** Counted from 1; only where the file is read line by line. */
  readonly line?: number;
  /** Its text; undefined where there is a fault. */
  readonly text?: string;
  /** Why there is no text. */
  readonly fault?: string;
}

/** One piece a line. Blank lines are passed over, and a line that is too long is not held in memory. */
export async function* splitLines(
  chunks: AsyncIterable<Buffer>,
  maxBytes: number,
): AsyncGenerator<JsonPiece, void, undefined> {
  const piece = new PieceBuffer(maxBytes);
  let line = 1;
  let offset = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let newline = chunk.indexOf(NEWLINE); newline !== -1; newline = chunk.indexOf(NEWLINE, from)) {
      piece.add(chunk.subarray(from, newline));
      yield* nonBlank({ ...piece.take(offset + newline), line });
      from = newline + 1;
      line++;
    }
    piece.add(chunk.subarray(from));
    offset += chunk.length;
  }
  yield* nonBlank({ ...piece.take(offset), line });
}

/**
 * One piece for each object of a file that holds objects, or lists of them, one after another: so a list is read item
 * by item, however long it is. Only brackets and strings are looked at; whether a piece is JSON shows when it is parsed.
 */
export async function* splitValues(
  chunks: AsyncIterable<Buffer>,
  maxBytes: number,
): AsyncGenerator<JsonPiece, void, undefined> {
  const piece = new PieceBuffer(maxBytes);
  let place: Place = 'top';
  let depth = 0;
  let inString = false;
  let escaped = false;
  let offset = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (inString) {
        if (escaped) escaped = false;
        else if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) inString = false;
      } else if (depth > 0) {
        if (byte === QUOTE) inString = true;
        else if (byte === OPEN_OBJECT || byte === OPEN_LIST) depth++;
        else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) depth--;
        if (depth > 0) continue;
        piece.add(chunk.subarray(from, at + 1));
        yield piece.take(offset + at + 1);
        place = place === 'top' ? 'top' : 'after item';
      } else if (!isSpace(byte) && !isMark(byte, offset + at)) {
        const next = placeAfter(place, byte);
        if (typeof next === 'string') place = next;
        else if (next.expected === undefined) {
          depth = 1;
          from = at;
        } else {
          yield { byte: offset + at, fault: `expected ${next.expected}` };
          return;
        }
      }
    }
    if (depth > 0) piece.add(chunk.subarray(from));
    offset += chunk.length;
  }
  // A value that is not complete is given as it is: whoever parses it can say what it lacks.
  if (depth > 0) yield piece.take(offset);
  else if (place !== 'top') yield { byte: offset, fault: 'expected "]"' };
}

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/** Where `splitValues` stands while it is inside no item. */
type Place = 'top' | 'list start' | 'after item' | 'after comma';

/** @returns the place that `byte` leads to; or, without `expected`, that an item begins here; or what was expected. */
function placeAfter(place: Place, byte: number): Place | { readonly expected?: string } {
  if (place === 'after item') {
    if (byte === COMMA) return 'after comma';
    return byte === CLOSE_LIST ? 'top' : { expected: '"," or "]"' };
  }
  if (byte === OPEN_OBJECT || (byte === OPEN_LIST && place !== 'top')) return {};
  if (byte === OPEN_LIST) return 'list start';
  if (byte === CLOSE_LIST && place === 'list start') return 'top';
  return { expected: 'an object' };
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === NEWLINE || byte === 0x0d;
}

function isMark(byte: number, offset: number): boolean {
  return byte === BYTE_ORDER_MARK[offset];
}

function* nonBlank(piece: JsonPiece): Generator<JsonPiece, void, undefined> {
  if (piece.text === undefined || /\S/.test(piece.text)) yield piece;
}

/** Gathers the bytes of one piece, and forgets them when they become too many. */
class PieceBuffer {
  readonly #maxBytes: number;
  #parts: Buffer[] = [];
  #size = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(part: Buffer): void {
    this.#size += part.length;
    if (this.#size > this.#maxBytes) this.#parts = [];
    else this.#parts.push(part);
  }

  /** Ends the piece at `end` and begins another. */
  take(end: number): JsonPiece {
    const byte = end - this.#size;
    const piece =
      this.#size > this.#maxBytes
        ? { byte, fault: `expected at most ${this.#maxBytes} bytes in one document` }
        : { byte, text: Buffer.concat(this.#parts).toString('utf8') };
    this.#parts = [];
    this.#size = 0;
    return piece;
  }
}
