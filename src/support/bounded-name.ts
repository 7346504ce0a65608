import { hexDigest } from './digest.ts';

const MAX_BYTES = 256;
const HASH_DIGITS = 12;

/**
 * Bounds a name that came from outside: at most 256 bytes of UTF-8. A longer one is cut at a character and ends in
 * `~` and 12 hex digits of the whole name's SHA-256, so that names that differ stay different. Surrogates that stand
 * alone become U+FFFD: stores and wire formats carry UTF-8 only.
 */
export function boundedName(name: string): string {
  if (isBounded(name)) return name;
  const bytes = Buffer.from(name, 'utf8');
  if (bytes.length <= MAX_BYTES) return bytes.toString('utf8');
  const hash = hexDigest('sha256', bytes).slice(0, HASH_DIGITS);
  return `${cut(bytes, MAX_BYTES - HASH_DIGITS - 1)}~${hash}`;
}

/** Whether a name is surely short enough and well-formed as it is; what is absent is. */
export function isBounded(name: string | undefined): boolean {
  return name === undefined || (name.length * 3 <= MAX_BYTES && !SURROGATE.test(name));
}

const SURROGATE = /[\ud800-\udfff]/;

function cut(bytes: Buffer, length: number): string {
  let end = length;
  // 0b10xxxxxx marks the continuation of a character
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}
