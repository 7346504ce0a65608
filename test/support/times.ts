import type { Time } from '../../src/model/time.ts';

/** A time of whole milliseconds since the Unix epoch. */
export function timeFromMillis(millis: number): Time {
  const seconds = Math.floor(millis / 1_000);
  return [seconds, (millis - seconds * 1_000) * 1e6];
}
