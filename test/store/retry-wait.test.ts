import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RetryWait } from '../../src/store/retry-wait.ts';

const RANGE = { minRetryMillis: 50, maxRetryMillis: 500 };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** How long it waits after each of so many failures. */
function waitsAfter(failures: number, random: number): readonly number[] {
  vi.spyOn(Math, 'random').mockReturnValue(random);
  const wait = new RetryWait(RANGE, () => undefined);
  return Array.from({ length: failures }, () => {
    const started = Date.now();
    wait.begin();
    vi.advanceTimersToNextTimer();
    return Date.now() - started;
  });
}

describe('RetryWait', () => {
  it('waits twice as long after each failure, up to its bound, and by chance down to half of that', () => {
    expect(waitsAfter(6, 1)).toEqual([100, 200, 400, 500, 500, 500]);
    expect(waitsAfter(6, 0)).toEqual([50, 100, 200, 250, 250, 250]);
  });

  it('calls at the end of the wait, and not where it was cut short', () => {
    const then = vi.fn();
    const wait = new RetryWait(RANGE, then);
    wait.begin();
    expect(wait.isWaiting).toBe(true);
    vi.runAllTimers();
    expect([wait.isWaiting, then.mock.calls.length]).toEqual([false, 1]);
    wait.begin();
    wait.cutShort();
    vi.runAllTimers();
    expect([wait.isWaiting, then.mock.calls.length]).toEqual([false, 1]);
  });

  it('does not keep a process alive', () => {
    vi.useRealTimers();
    const timersThatDo = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timersThatDo();
    const wait = new RetryWait(RANGE, () => undefined);
    wait.begin();
    expect(timersThatDo()).toBe(before);
    wait.cutShort();
  });
});
