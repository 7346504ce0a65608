/**
 * Reads a Retry-After header: seconds, or a date.
 * @param now wall clock in milliseconds
 * @returns whole seconds from now, not negative; undefined where the header is absent or neither.
 */
export function retryAfterSeconds(header: string | undefined, now: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d+$/.test(text)) return Math.min(Number(text), Number.MAX_SAFE_INTEGER);
  // Date.parse reads much more than HTTP's dates, all of which begin with the day of the week.
  const at = /^[a-z]{3,9},? /i.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - now) / 1_000));
}
