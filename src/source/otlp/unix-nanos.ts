import type { Time } from '../../model/time.ts';

const NANOS_PER_SECOND = 1_000_000_000;

/**
 * The time so many nanoseconds after 1970, of which the lower and the upper 32 bits are given; exact, and without
 * taking a bigint.
 *
 * @returns undefined for 0, which stands for no time.
 */
export function timeFromHalves(low: number, high: number): Time | undefined {
  if (low === 0 && high === 0) return undefined;
  const total = (high >>> 0) * 0x1_0000_0000 + (low >>> 0);
  // As a double the total may be rounded, and the seconds so be one off; what is left tells, for which 32 bits suffice.
  const seconds = Math.floor(total / NANOS_PER_SECOND);
  const nanos = (low - Math.imul(seconds | 0, NANOS_PER_SECOND)) | 0;
  if (nanos < 0) return [seconds - 1, nanos + NANOS_PER_SECOND];
  if (nanos >= NANOS_PER_SECOND) return [seconds + 1, nanos - NANOS_PER_SECOND];
  return [seconds, nanos];
}
