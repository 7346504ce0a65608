import { flat } from '../../support/flat.ts';
import { MAX_ATTRIBUTE_LENGTH } from '../../support/meaningful.ts';

/** Arrays and maps inside an attribute value are read down to this depth; what lies deeper is left out. */
export const MAX_VALUE_DEPTH = 64;

/** A longer attribute name is nobody's, and is not read. In UTF-16 units. */
export const MAX_KEY_LENGTH = 1_024;

/**
 * How much of one attribute value may still be read. UTF-16 units, bytes and elements all count one, so neither a long
 * text nor a long list takes more than its bound, and all sources stop at the same place: one that gets its values as
 * strings cannot tell how many bytes they were. A unit is one byte where the text is Latin.
 */
export class ValueBudget {
  left = MAX_ATTRIBUTE_LENGTH;

  /** The part of `text` that may be kept. */
  text(text: string): string {
    const kept = cutText(text, this.left);
    this.left -= kept.length;
    return kept;
  }

  /** A copy of the part of `bytes` that may be kept. */
  bytes(bytes: Uint8Array): Uint8Array {
    const kept = new Uint8Array(bytes.subarray(0, this.left));
    this.left -= kept.length;
    return kept;
  }

  /** Whether one more element may be read. */
  element(): boolean {
    if (this.left === 0) return false;
    this.left--;
    return true;
  }
}

/** The first `maxLength` UTF-16 units. */
export function cutText(text: string, maxLength: number = MAX_ATTRIBUTE_LENGTH): string {
  if (text.length <= maxLength) return text;
  return flat(text.slice(0, maxLength));
}
