import { MalformedBodyError } from '../../src/source/otlp/malformed-body-error.ts';

/**
 * JSON by JSON.parse, but for what spanplan does with JSON from anywhere: a number too long for a double is the text of
 * its digits, unless a fraction says that it is meant for one; more than 1,000 levels are refused; and a byte order mark
 * is passed over.
 *
 * @throws MalformedBodyError
 */
export function exactJson(text: string): unknown {
  const json = text.replace(/^\ufeff/, '');
  try {
    JSON.parse(json);
  } catch {
    throw new MalformedBodyError('this is no JSON');
  }
  let depth = 0;
  const quoted = json.replace(TOKEN, (token) => {
    if (token === '[' || token === '{') depth++;
    else if (token === ']' || token === '}') depth--;
    else if (IS_LONG.test(token)) return `"${token}"`;
    if (depth > 1_000) throw new MalformedBodyError('this is too deep');
    return token;
  });
  return JSON.parse(quoted);
}

/** Of JSON that is known to be good: strings, numbers and brackets. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*|[[\]{}]/g;
/** Of sixteen characters, and whole or with an exponent. */
const IS_LONG = /^(?=.{16})-?\d+(?:\.0+$|(?:\.\d+)?[eE].*|$)/;
