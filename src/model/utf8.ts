import { charCode } from '../support/char-code.ts';

/**
 * Order and length of strings as UTF-8 bytes. The shared wire format sorts names by their bytes; JavaScript's own
 * order is by UTF-16 unit, which differs for characters beyond the basic plane (they are stored as surrogates,
 * 0xD800 to 0xDFFF, below the private-use and full-width characters 0xE000 to 0xFFFF, yet their bytes are above).
 */

/** Negative, 0 or positive, as `a` stands before, at or after `b` in the order of their UTF-8 bytes. */
export function compareUtf8(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = charCode(a, i);
    const y = charCode(b, i);
    if (x !== y) return codePointRank(x) - codePointRank(y);
  }
  return a.length - b.length;
}

/** Ranks a UTF-16 unit so that surrogates come after the rest of the basic plane. */
function codePointRank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}
