import { charCode } from '../support/char-code.ts';
import { nodeCrypto } from '../support/digest.ts';
import { HEX_VALUES, NO_DIGIT } from '../support/hex-digits.ts';

/**
 * Span ids as two signed 32-bit numbers each, the first eight hex digits and the last eight, which take no heap of
 * their own and compare in a step.
 */

/**
 * Writes the id into two places of `into`, the first of them `at`.
 * @returns whether `id` is 16 hex digits, of either case; if not, what was written means nothing.
 */
export function readSpanId(id: string, into: Int32Array, at: number): boolean {
  // Past its end there are no digits, and the engine would make this slow for all ids that come after.
  if (id.length !== 16) return false;
  let high = 0;
  let low = 0;
  let seen = 0;
  for (let digit = 0; digit < 8; digit++) {
    const left = HEX_VALUES[charCode(id, digit)] ?? NO_DIGIT;
    const right = HEX_VALUES[charCode(id, digit + 8)] ?? NO_DIGIT;
    seen |= left | right;
    high = (high << 4) | left;
    low = (low << 4) | right;
  }
  into[at] = high;
  into[at + 1] = low;
  return (seen & NO_DIGIT) === 0;
}

/**
 * Writes the id into the first two places of `into`.
 * @throws RangeError where `id` is not 16 hex digits.
 */
export function mustReadSpanId(id: string, into: Int32Array): void {
  if (!readSpanId(id, into, 0)) throw new RangeError('a span id is not 16 hex digits');
}

/** The id in lower case. */
export function spanIdOf(high: number, low: number): string {
  return String.fromCharCode(
    hexDigit(high >>> 28),
    hexDigit(high >>> 24),
    hexDigit(high >>> 20),
    hexDigit(high >>> 16),
    hexDigit(high >>> 12),
    hexDigit(high >>> 8),
    hexDigit(high >>> 4),
    hexDigit(high),
    hexDigit(low >>> 28),
    hexDigit(low >>> 24),
    hexDigit(low >>> 20),
    hexDigit(low >>> 16),
    hexDigit(low >>> 12),
    hexDigit(low >>> 8),
    hexDigit(low >>> 4),
    hexDigit(low),
  );
}

function hexDigit(value: number): number {
  const nibble = value & 15;
  return nibble < 10 ? 48 + nibble : 87 + nibble;
}

/**
 * A hash of the id for tables in memory, of another kind in each process: random bits for each byte in each place, of which
 * those of its bytes make the hash (simple tabulation, as in TraceTable). So ids that count up fall into places as good as
 * random, and nobody can send ids that all fall into one, where finding each takes as many steps as there are ids.
 */
export function spanIdHash(high: number, low: number): number {
  bits ??= nodeCrypto().randomFillSync(new Int32Array(8 * 256));
  return (
    (bits[high & 255] ?? 0) ^
    (bits[256 | ((high >>> 8) & 255)] ?? 0) ^
    (bits[512 | ((high >>> 16) & 255)] ?? 0) ^
    (bits[768 | (high >>> 24)] ?? 0) ^
    (bits[1024 | (low & 255)] ?? 0) ^
    (bits[1280 | ((low >>> 8) & 255)] ?? 0) ^
    (bits[1536 | ((low >>> 16) & 255)] ?? 0) ^
    (bits[1792 | (low >>> 24)] ?? 0)
  );
}

let bits: Int32Array | undefined;
