/** One string member of an object inside a JSON text. */
export interface JsonMember {
  readonly key: string;
  readonly value: string;
  /** How many objects and arrays enclose the member; 1 for a member of the outermost object. */
  readonly depth: number;
  /** The same number for members of one object, and for no others. */
  readonly object: number;
  /** The key under which the object (or the array that holds it) stands; undefined for the outermost. */
  readonly objectKey: string | undefined;
}

/**
 * Walks a JSON text and reports the short string members of its objects, so that a name inside a large payload is
 * found without building the payload. Exporters cut long values: a text that ends anywhere, or is no JSON at all, is
 * walked as far as it makes sense, and never an error.
 */
export function scanJson(json: string, visit: (member: JsonMember) => void): void {
  const open: Frame[] = [];
  let objects = 0;
  let at = 0;
  while (at < json.length) {
    const char = json[at];
    const inside = open.at(-1);
    if (char === '"') {
      const end = endOfString(json, at);
      if (end < 0) return;
      const next = afterSpace(json, end);
      if (inside?.isObject && json[next] === ':') {
        inside.key = shortString(json, at, end);
        at = next + 1;
        continue;
      }
      const value = inside?.isObject && inside.key !== undefined ? shortString(json, at, end) : undefined;
      if (inside?.key !== undefined && value !== undefined) {
        const { key, object, objectKey } = inside;
        visit({ key, value, depth: open.length, object, objectKey });
      }
      at = end;
      continue;
    }
    if (char === '{' || char === '[') {
      if (open.length === MAX_DEPTH) return;
      const isObject = char === '{';
      const objectKey = inside?.isObject ? inside.key : inside?.objectKey;
      open.push({ isObject, object: isObject ? objects++ : -1, objectKey, key: undefined });
    } else if (char === '}' || char === ']') open.pop();
    else if (char === ',' && inside) inside.key = undefined;
    at++;
  }
}

interface Frame {
  readonly isObject: boolean;
  readonly object: number;
  readonly objectKey: string | undefined;
  key: string | undefined;
}

const MAX_DEPTH = 64;

/** Keys and values longer than this are passed over: what is looked for are names and ids. */
const MAX_STRING = 1_024;

/** The index after the closing quote of the string that opens at `start`; -1 where the text was cut inside it. */
function endOfString(json: string, start: number): number {
  let quote = json.indexOf('"', start + 1);
  while (quote > 0 && isEscaped(json, quote)) quote = json.indexOf('"', quote + 1);
  return quote < 0 ? -1 : quote + 1;
}

function isEscaped(json: string, at: number): boolean {
  let backslashes = 0;
  while (json[at - 1 - backslashes] === '\\') backslashes++;
  return backslashes % 2 === 1;
}

function afterSpace(json: string, from: number): number {
  let at = from;
  while (json[at] === ' ' || json[at] === '\n' || json[at] === '\r' || json[at] === '\t') at++;
  return at;
}

function shortString(json: string, start: number, end: number): string | undefined {
  if (end - start > MAX_STRING) return undefined;
  const raw = json.slice(start + 1, end - 1);
  if (!raw.includes('\\')) return raw;
  try {
    return String(JSON.parse(json.slice(start, end)));
  } catch {
    return undefined;
  }
}
