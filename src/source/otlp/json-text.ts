import { charCode } from '../../support/char-code.ts';
import { findJsonFault } from './json-fault.ts';
import { MalformedBodyError } from './malformed-body-error.ts';

/** Objects and lists inside one another beyond this are no telemetry, and not worth anyone's stack. */
export const MAX_JSON_DEPTH = 1_000;

/**
 * Parses JSON without what makes JSON.parse unfit for telemetry of unknown origin: its errors quote the text, it takes
 * any depth, and it rounds integers beyond 2^53, which nanoseconds since 1970 are.
 *
 * @param longNumbers what becomes of numbers that might be rounded: `text` (default) gives strings of the same digits,
 * which OTLP allows in their place; `rounded` leaves them numbers.
 * @throws MalformedBodyError
 */
export function parseJson(text: string, longNumbers: 'text' | 'rounded' = 'text'): unknown {
  // A byte order mark is no JSON, but Windows tools put it there.
  const body = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  try {
    const quoted = quoteLongNumbers(body);
    return JSON.parse(longNumbers === 'text' ? quoted : body);
  } catch (error) {
    if (error instanceof MalformedBodyError) throw error;
    const fault = findJsonFault(body);
    if (fault === undefined) throw new MalformedBodyError('this is more JSON than can be read at once');
    throw new MalformedBodyError(`expected ${fault.expected}`, byteOffset(text, fault.offset, body));
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Numbers with fewer characters are exact as doubles. */
const MIN_LONG_NUMBER = 16;

/** An integer, or a number with an exponent, which may be one. What has any other fraction is meant to be a double. */
const LONG_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.0+|(?:\.\d+)?[eE][+-]?\d+)?$/;

/**
 * Puts long integers in quotes where they stand bare, in one pass that also measures the depth. Most senders write
 * none, and then the text is returned as it is.
 */
function quoteLongNumbers(text: string): string {
  let quoted = '';
  let copied = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = charCode(text, at);
    if (unit === QUOTE) {
      at = endOfString(text, at);
    } else if (unit === 0x7b || unit === 0x5b) {
      depth++;
      if (depth > MAX_JSON_DEPTH) {
        throw new MalformedBodyError(`expected at most ${MAX_JSON_DEPTH} levels`, byteOffset(text, at));
      }
    } else if (unit === 0x7d || unit === 0x5d) {
      depth--;
    } else if (isNumberUnit(unit)) {
      const start = at;
      while (isNumberUnit(charCode(text, at + 1))) at++;
      if (at + 1 - start < MIN_LONG_NUMBER) continue;
      const number = text.slice(start, at + 1);
      if (!LONG_NUMBER.test(number) || !isValueEnd(text, at + 1)) continue;
      quoted += `${text.slice(copied, start)}"${number}"`;
      copied = at + 1;
    }
  }
  return copied === 0 ? text : quoted + text.slice(copied);
}

/** Offset of the quote that closes the string; the last offset of the text where there is none. */
function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let slashes = quote;
    while (charCode(text, slashes - 1) === BACKSLASH) slashes--;
    if ((quote - slashes) % 2 === 0) return quote;
  }
  return text.length - 1;
}

/** Whether a digit, sign, point or exponent letter. */
function isNumberUnit(unit: number): boolean {
  return (
    (unit >= 0x30 && unit <= 0x39) ||
    unit === 0x2d ||
    unit === 0x2b ||
    unit === 0x2e ||
    unit === 0x65 ||
    unit === 0x45
  );
}

/** Only where a value may end: quoting must not turn a fault, such as a number for a name, into JSON. */
function isValueEnd(text: string, at: number): boolean {
  let next = at;
  while (' \t\r\n'.includes(text[next] ?? 'end')) next++;
  return next === text.length || ',]}'.includes(text[next] ?? 'end');
}

function byteOffset(text: string, offset: number, body: string = text): number {
  return Buffer.byteLength(text) - Buffer.byteLength(body) + Buffer.byteLength(body.slice(0, offset));
}
