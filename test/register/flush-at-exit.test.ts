import { expect, it } from 'vitest';
import type { FanoutSpanProcessor } from '../../src/fanout-span-processor.ts';
import { flushAtExit } from '../../src/register/flush-at-exit.ts';

/** Runs `beforeExit` with each of the accounts in turn. @returns what was asked of the processor. */
function askedAt(accounts: readonly (readonly [received: number, buffered: number, awaiting: number])[]) {
  const asked: string[] = [];
  let now = accounts[0];
  const processor = {
    get account() {
      const [received = 0, buffered = 0, awaiting = 0] = now ?? [];
      return { received, buffered, awaiting };
    },
    forceFlush: async () => void asked.push('flush'),
    shutdown: async () => void asked.push('shutdown'),
  };
  const beforeExit = flushAtExit(processor as unknown as FanoutSpanProcessor);
  for (const account of accounts) {
    now = account;
    beforeExit();
  }
  return asked;
}

it('where there is nothing to learn the end is not held up', () => {
  expect(askedAt([[5, 0, 0]])).toEqual([]);
});

it('finished traces are learned, then what is left', () => {
  expect(
    askedAt([
      [5, 5, 0],
      [5, 2, 0],
      [5, 0, 0],
    ]),
  ).toEqual(['flush', 'shutdown']);
});

it('what came meanwhile is waited for again', () => {
  expect(
    askedAt([
      [5, 5, 0],
      [9, 4, 0],
      [9, 1, 0],
      [9, 1, 0],
    ]),
  ).toEqual(['flush', 'flush', 'shutdown']);
});

it('a store that takes nothing holds the end up once', () => {
  expect(
    askedAt([
      [5, 0, 5],
      [5, 0, 5],
      [5, 0, 5],
    ]),
  ).toEqual(['flush']);
});
