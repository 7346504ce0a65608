import { KEY, VALUE } from './protobuf-value.ts';
import type { WantedKeys } from './wanted-keys.ts';

/**
 * Passes over attributes that nobody wants, as many as follow one another: of most spans all are such. Only those in
 * the form in which everybody writes them, a short key and a value and nothing else, are passed over here.
 *
 * @param tag of an attribute, one byte.
 * @param from where the first one's tag is.
 * @param end of the message that holds them.
 * @returns where the first one begins that is wanted, or of another form; or whatever follows them.
 */
export function passUnwanted(
  { body, view }: { readonly body: Uint8Array; readonly view: DataView },
  tag: number,
  from: number,
  end: number,
  keys: WantedKeys,
): number {
  let at = from;
  while (at < end && body[at] === tag) {
    let next = at + 2;
    let length = body[at + 1] ?? MORE;
    if (length >= MORE) {
      const high = body[at + 2] ?? MORE;
      if (high >= MORE) return at;
      length = (length - MORE) | (high << 7);
      next++;
    }
    const stop = next + length;
    const keyLength = body[next + 1] ?? MORE;
    const valueAt = next + 2 + keyLength;
    if (stop > end || body[next] !== KEY || keyLength >= MORE || body[valueAt] !== VALUE) return at;
    let valueLength = body[valueAt + 1] ?? MORE;
    next = valueAt + 2;
    if (valueLength >= MORE) {
      const high = body[next] ?? MORE;
      if (high >= MORE) return at;
      valueLength = (valueLength - MORE) | (high << 7);
      next++;
    }
    if (next + valueLength !== stop || keys.mayWant(view, valueAt - keyLength, keyLength)) return at;
    at = stop;
  }
  return at;
}

/** Set in every byte of a number but the last. */
const MORE = 0x80;
