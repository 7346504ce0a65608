import { formatTime, type Time } from '../model/time.ts';
import { printable } from './printable.ts';

/** Numbers, times and names in sentences. */

/** `1 run`, `2,000 runs`. */
export function counted(count: number, noun: string): string {
  return `${formatNumber(count)} ${noun}${count === 1 ? '' : 's'}`;
}

export function formatNumber(count: number): string {
  return count.toLocaleString('en-US');
}

/** To the minute and in UTC, as what is printed is compared across machines. */
export function formatMinute(time: Time): string {
  return `${formatTime(time).slice(0, 16).replace('T', ' ')} UTC`;
}

/** A length of time to three digits or so: `0.4 ms`, `347 ms`, `1.24 s`, `2 min 5 s`, `1 h 30 min`. */
export function formatDuration(nanos: number): string {
  const millis = nanos / 1e6;
  if (millis < 9.95) return `${Number(millis.toFixed(1))} ms`;
  if (millis < 999.5) return `${Math.round(millis)} ms`;
  const seconds = millis / 1_000;
  if (seconds < 59.95) return `${Number(seconds.toFixed(seconds < 9.995 ? 2 : 1))} s`;
  const whole = Math.round(seconds);
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${formatNumber(Math.floor(minutes / 60))} h ${minutes % 60} min`;
}

/** `a, b and c`; of many the first ones and how many more. The names are made safe to print. */
export function listed(names: readonly string[], most = 20): string {
  const shown = names.slice(0, most).map(printable);
  if (names.length > most) return `${shown.join(', ')} and ${formatNumber(names.length - most)} more`;
  const last = shown.pop() ?? '';
  return shown.length === 0 ? last : `${shown.join(', ')} and ${last}`;
}

/** A multiset of tool names for reading: `fetch`, `search ×2`. Sorted ones stay so. */
export function toolsOf(names: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => (count === 1 ? name : `${name} ×${count}`));
}
