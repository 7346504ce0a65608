/** Sizes such as `64MiB` and durations such as `10s`, as configuration writes them; read into bytes and milliseconds. */

const SIZES: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
};

const DURATIONS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Bytes; undefined where the text is no size. A bare number counts bytes. */
export function parseSize(value: unknown): number | undefined {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?) *([a-z]*)$/i.exec(textOf(value)) ?? [];
  const factor = SIZES[unit.toLowerCase()];
  return whole(number === undefined || factor === undefined ? undefined : Number(number) * factor);
}

/** Milliseconds; undefined where the text is no duration. Parts may follow each other: `1h30m`. */
export function parseDuration(value: unknown): number | undefined {
  const text = textOf(value);
  if (text === '0') return 0;
  if (!/^(?:\d+(?:\.\d+)?(?:ms|[smhd]))+$/.test(text)) return undefined;
  let sum = 0;
  for (const [, number, unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g)) {
    sum += Number(number) * (DURATIONS[unit] ?? Number.NaN);
  }
  return Number.isFinite(sum) && sum <= MAX_MILLIS ? sum : undefined;
}

/** The shortest text that `parseSize` reads as so many bytes. */
export function formatSize(bytes: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB'] as const) {
    const factor = SIZES[unit.toLowerCase()] ?? 1;
    if (bytes > 0 && bytes % factor === 0) return `${bytes / factor}${unit}`;
  }
  return String(bytes);
}

/** The shortest text that `parseDuration` reads as so many milliseconds. */
export function formatDuration(millis: number): string {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const factor = DURATIONS[unit] ?? 1;
    if (millis > 0 && millis % factor === 0) return `${millis / factor}${unit}`;
  }
  return `${millis}ms`;
}

/** A year: what is longer is a slip of the pen, and timers cannot count it. */
const MAX_MILLIS = 366 * 86_400_000;

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
}

function whole(bytes: number | undefined): number | undefined {
  return bytes !== undefined && Number.isSafeInteger(bytes) ? bytes : undefined;
}
