import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareTimes,
  earlierTime,
  formatTime,
  laterTime,
  nanosBetween,
  parseTime,
  type Time,
  timeFromUnixNanos,
  timeOf,
  timeToMillis,
} from '../../src/model/time.ts';

/** From 1970 to 2554, which is all that OTLP's 64 bits can say. */
const nanos = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const time = nanos.map(timeFromUnixNanos);
const toNanos = ([seconds, fraction]: Time) => BigInt(seconds) * 1_000_000_000n + BigInt(fraction);

describe('a time of an SDK', () => {
  it('is taken as it is where it is one', () => {
    fc.assert(
      fc.property(time, (given) => {
        expect(timeOf(given)).toBe(given);
      }),
    );
  });

  it('carries what is beyond its second, and no more is lost than a part of a nanosecond', () => {
    const seconds = fc.integer({ min: -60_000_000_000, max: 250_000_000_000 });
    fc.assert(
      fc.property(
        seconds,
        fc.integer({ min: -1e12, max: 1e12 }),
        fc.constantFrom(0, 0.25),
        (whole, rest, part) => {
          const made = timeOf([whole, rest + part]) as Time;
          expect(toNanos(made)).toBe(toNanos([whole, rest]));
          expect(made[1]).toBeGreaterThanOrEqual(0);
          expect(made[1]).toBeLessThan(1e9);
          expect(parseTime(formatTime(made))).toEqual(made);
        },
      ),
    );
    expect(timeOf([1_700_000_000.5, 0])).toEqual([1_700_000_000, 500_000_000]);
  });

  it.each([
    ['milliseconds', 1.7e12],
    ['microseconds', 1.7e15],
    ['nanoseconds', 1.7e18],
    ['a year that has five digits', 253_402_300_800],
    ['no number', Number.NaN],
    ['no end', Number.POSITIVE_INFINITY],
  ])('is none in %s', (_, seconds) => {
    expect(timeOf([seconds, 0])).toBeUndefined();
    expect(timeOf([-seconds, 0])).toBeUndefined();
    expect(timeOf([0, seconds * 1e18])).toBeUndefined();
  });
});

describe('a time', () => {
  it('is exact to the nanosecond', () => {
    fc.assert(
      fc.property(nanos, (value) => {
        expect(toNanos(timeFromUnixNanos(value))).toBe(value);
      }),
    );
  });

  it('is the same after being written and read', () => {
    fc.assert(
      fc.property(time, (value) => {
        expect(parseTime(formatTime(value))).toEqual(value);
      }),
    );
  });

  it('compares as its nanoseconds do', () => {
    fc.assert(
      fc.property(time, time, (a, b) => {
        const difference = toNanos(a) - toNanos(b);
        expect(Math.sign(compareTimes(a, b))).toBe(difference === 0n ? 0 : difference > 0n ? 1 : -1);
        expect(laterTime(a, b)).toEqual(difference >= 0n ? a : b);
        expect(earlierTime(a, b)).toEqual(difference <= 0n ? a : b);
      }),
    );
  });

  it('has exact distances below 104 days', () => {
    const distance = fc.bigInt({ min: 0n, max: 104n * 86_400n * 1_000_000_000n });
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 63n }), distance, (start, length) => {
        const difference = nanosBetween(timeFromUnixNanos(start + length), timeFromUnixNanos(start));
        expect(difference).toBe(Number(length));
      }),
    );
  });
});

describe('formatTime', () => {
  it.each<[Time, string]>([
    [[1_795_352_484, 0], '2026-11-22T13:01:24Z'],
    [[1_795_352_484, 523_000_000], '2026-11-22T13:01:24.523Z'],
    [[1_795_352_484, 535_123_000], '2026-11-22T13:01:24.535123Z'],
    [[1_795_352_484, 7], '2026-11-22T13:01:24.000000007Z'],
    [[1_795_352_484, 120_000_000], '2026-11-22T13:01:24.120Z'],
    [[1_795_352_484, 1_000_000_000], '2026-11-22T13:01:24.999999999Z'],
    [[1_795_352_484, 1_000.7], '2026-11-22T13:01:24.000001Z'],
    [[1_795_352_484, -1], '2026-11-22T13:01:24Z'],
  ])('writes %j with 0, 3, 6 or 9 digits of fraction: %s', (value, text) => {
    expect(formatTime(value)).toBe(text);
  });
});

describe('parseTime', () => {
  it.each([
    '2026-11-22T13:01:24Z',
    '2026-11-22t13:01:24z',
    '2026-11-22 13:01:24Z',
    '2026-11-22T14:31:24+01:30',
    '2026-11-22T05:01:24-08:00',
    '2026-11-22T13:01:24.0000000009Z',
  ])('reads %s, at any offset', (text) => {
    expect(parseTime(text)).toEqual([1_795_352_484, 0]);
  });

  it('reads times before 1970', () => {
    expect(parseTime('1969-12-31T23:59:59.25Z')).toEqual([-1, 250_000_000]);
    expect(formatTime([-1, 250_000_000])).toBe('1969-12-31T23:59:59.250Z');
  });

  it.each([
    '',
    'now',
    '2026-11-22',
    '2026-11-22T13:01:24',
    '2026-13-22T13:01:24Z',
    '2026-11-22T25:01:24Z',
    '2026-02-30T00:00:00Z',
    '1795352484',
  ])('refuses %j', (text) => {
    expect(parseTime(text)).toBeUndefined();
  });
});

it('tells milliseconds for display', () => {
  expect(timeToMillis([1, 500_000])).toBe(1_000.5);
});
