/**
 * A point in time, exact to the nanosecond: whole seconds since the Unix epoch and the nanoseconds (0 to
 * 999,999,999) within that second. The shape is that of OpenTelemetry's HrTime, so in-process times pass through
 * untouched; two small integers also take less memory than a bigint and compare faster.
 */
export type Time = readonly [seconds: number, nanos: number];

const NANOS_PER_SECOND = 1_000_000_000;

/** The years that RFC 3339 can write, 0 to 9999. */
const MIN_SECONDS = -62_167_219_200;
const MAX_SECONDS = 253_402_300_799;

/**
 * A time as an SDK has it, in whole seconds and the nanoseconds within: some round up to a whole second, and what lies
 * before 1970 comes with negative ones.
 * @returns undefined where it is no time that can be written down: that of a clock in other units, say.
 */
export function timeOf(given: Time): Time | undefined {
  const [seconds, nanos] = given;
  const isWhole = Number.isInteger(seconds) && Number.isInteger(nanos);
  if (isWhole && nanos >= 0 && nanos < NANOS_PER_SECOND) return isWritable(seconds) ? given : undefined;
  const whole = Math.floor(seconds);
  const rest = Math.floor((seconds - whole) * NANOS_PER_SECOND + nanos);
  const carried = Math.floor(rest / NANOS_PER_SECOND);
  return isWritable(whole + carried) ? [whole + carried, rest - carried * NANOS_PER_SECOND] : undefined;
}

/** @throws RangeError where it is no time that can be written down. */
export function mustBeTime(given: Time): Time {
  const time = timeOf(given);
  if (time === undefined) throw new RangeError('a time is not in seconds since 1970');
  return time;
}

function isWritable(seconds: number): boolean {
  return seconds >= MIN_SECONDS && seconds <= MAX_SECONDS;
}

/** Negative when `a` is before `b`, positive when after, 0 when equal. */
export function compareTimes(a: Time, b: Time): number {
  return a[0] - b[0] || a[1] - b[1];
}

/** `a - b` in nanoseconds; exact for distances below 104 days. */
export function nanosBetween(a: Time, b: Time): number {
  return (a[0] - b[0]) * NANOS_PER_SECOND + (a[1] - b[1]);
}

/** The later of the two times. */
export function laterTime(a: Time, b: Time): Time {
  return compareTimes(a, b) >= 0 ? a : b;
}

/** The earlier of the two times. */
export function earlierTime(a: Time, b: Time): Time {
  return compareTimes(a, b) <= 0 ? a : b;
}

/** Milliseconds since the Unix epoch, with a fraction; for display and metrics, not for comparison. */
export function timeToMillis(time: Time): number {
  return time[0] * 1_000 + time[1] / 1e6;
}

/** Reads nanoseconds since the Unix epoch, as OTLP carries them (fixed64, or a decimal string in JSON). */
export function timeFromUnixNanos(nanos: bigint): Time {
  const seconds = nanos / 1_000_000_000n;
  return [Number(seconds), Number(nanos - seconds * 1_000_000_000n)];
}

/** RFC 3339 in UTC, with as many fraction digits (0, 3, 6 or 9) as the time needs; what NeMo Relay writes. */
export function formatTime(time: Time): string {
  const whole = formatSeconds(time[0]);
  const [millis, micros, nanos] = fractionOf(time);
  if (nanos > 0) return `${whole}.${padded(millis)}${padded(micros)}${padded(nanos)}Z`;
  if (micros > 0) return `${whole}.${padded(millis)}${padded(micros)}Z`;
  return millis > 0 ? `${whole}.${padded(millis)}Z` : `${whole}Z`;
}

/** The fraction of the second, in three numbers below 1,000. */
export function fractionOf(time: Time): readonly [millis: number, micros: number, nanos: number] {
  // SDKs have been seen to round up to a whole second.
  const nanos = Math.min(Math.max(0, Math.trunc(time[1])), NANOS_PER_SECOND - 1);
  const micros = Math.trunc(nanos / 1_000);
  const millis = Math.trunc(micros / 1_000);
  return [millis, micros - millis * 1_000, nanos - micros * 1_000];
}

function padded(number: number): string {
  return String(number).padStart(3, '0');
}

/** The times of many runs mostly fall into few seconds. */
const SECONDS_KEPT = 64;
const keptSeconds = Array<number>(SECONDS_KEPT).fill(Number.NaN);
const keptTexts = Array<string>(SECONDS_KEPT).fill('');

/** Date and time to the second, as `formatTime` begins. */
export function formatSeconds(seconds: number): string {
  const place = Math.abs(Math.trunc(seconds)) % SECONDS_KEPT;
  if (keptSeconds[place] !== seconds) {
    keptTexts[place] = new Date(seconds * 1_000).toISOString().slice(0, -5);
    keptSeconds[place] = seconds;
  }
  return keptTexts[place] as string;
}

const RFC3339 = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d+))?([Zz]|[+-]\d{2}:\d{2})$/;

/**
 * Reads an RFC 3339 time with any offset; digits beyond the nanosecond are cut.
 * @returns undefined where `text` is no RFC 3339 time.
 */
export function parseTime(text: string): Time | undefined {
  const match = RFC3339.exec(text);
  if (!match) return undefined;
  const [, date, clock, fraction = '', offset = 'Z'] = match;
  const millis = Date.parse(`${date}T${clock}${offset.toUpperCase()}`);
  if (Number.isNaN(millis) || !isDate(date)) return undefined;
  return [millis / 1_000, Number(fraction.slice(0, 9).padEnd(9, '0'))];
}

/** The engine takes the 30th of February for a day in March. */
function isDate(date = ''): boolean {
  return new Date(`${date}T00:00:00Z`).toISOString().startsWith(date);
}
