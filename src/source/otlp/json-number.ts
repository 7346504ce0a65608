const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;
const MAX_UINT64 = 2n ** 64n - 1n;

/**
 * Numbers of 64 bits as JSON carries them: a string of digits, or a number, either with an exponent if the sender
 * likes; exact as far as the text is.
 *
 * @returns undefined where it is no such number.
 */
export function readUint64(value: unknown): bigint | undefined {
  const whole = readWhole(value);
  return whole !== undefined && whole >= 0n && whole <= MAX_UINT64 ? whole : undefined;
}

/** A signed one, as a number where that is exact. */
export function readInt64(value: unknown): number | bigint | undefined {
  if (Number.isSafeInteger(value)) return value as number;
  const whole = readWhole(value);
  if (whole === undefined || whole < MIN_INT64 || whole > MAX_INT64) return undefined;
  const number = Number(whole);
  return Number.isSafeInteger(number) ? number : whole;
}

/** A double, which JSON writes as a string where it is not finite. */
export function readDouble(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string') return undefined;
  if (value === 'NaN') return Number.NaN;
  if (value === 'Infinity') return Number.POSITIVE_INFINITY;
  if (value === '-Infinity') return Number.NEGATIVE_INFINITY;
  return value.length <= MAX_DIGITS && DECIMAL.test(value) ? Number(value) : undefined;
}

function readWhole(value: unknown): bigint | undefined {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : undefined;
  return typeof value === 'string' ? wholeOf(value) : undefined;
}

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/;

/** No number in range needs more; converting a long string of digits takes quadratic time. */
const MAX_DIGITS = 400;

function wholeOf(text: string): bigint | undefined {
  const match = text.length <= MAX_DIGITS ? DECIMAL.exec(text) : null;
  if (match === null) return undefined;
  const [, sign = '', units = '', fraction = '', exponent = '0'] = match;
  const shift = Number(exponent) - fraction.length;
  const digits = units + fraction;
  const kept = shift < 0 ? digits.slice(0, shift) : digits + '0'.repeat(shift);
  if (shift < 0 && /[1-9]/.test(digits.slice(shift))) return undefined;
  return BigInt(`${kept === '' ? '0' : kept}`) * (sign === '-' ? -1n : 1n);
}
