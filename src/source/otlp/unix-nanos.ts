import { NO_TIME } from '../../model/numeric-span.ts';

const NANOS_PER_SECOND = 1_000_000_000;

/**
 * The whole seconds in so many nanoseconds, of which the lower and the upper 32 bits are given; exact, and without
 * taking a bigint.
 *
 * @returns NO_TIME for 0, which stands for no time.
 */
export function secondsOf(low: number, high: number): number {
  if (low === 0 && high === 0) return NO_TIME;
  const total = (high >>> 0) * 0x1_0000_0000 + (low >>> 0);
  // As a double the total may be rounded, and the seconds so be one off; what is left tells, for which 32 bits suffice.
  const seconds = Math.floor(total / NANOS_PER_SECOND);
  const nanos = nanosOf(low, seconds);
  if (nanos < 0) return seconds - 1;
  return nanos >= NANOS_PER_SECOND ? seconds + 1 : seconds;
}

/** The nanoseconds beyond those seconds; 0 beyond NO_TIME. */
export function nanosOf(low: number, seconds: number): number {
  if (seconds === NO_TIME) return 0;
  return (low - Math.imul(seconds | 0, NANOS_PER_SECOND)) | 0;
}
