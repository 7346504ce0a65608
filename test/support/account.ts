import { expect } from 'vitest';
import type { SpanAccount } from '../../src/span-ledger.ts';

/** At every moment received = buffered + awaiting write + learned + ignored + duplicate + dropped by reason. */
export function expectConserved(account: SpanAccount): void {
  const { received, buffered, awaiting, learned, ignored, duplicate, dropped } = account;
  const places = [buffered, awaiting, learned, ignored, duplicate, ...Object.values(dropped)];
  for (const spans of places) expect(spans, JSON.stringify(account)).toBeGreaterThanOrEqual(0);
  expect(
    places.reduce((sum, spans) => sum + spans, 0),
    JSON.stringify(account),
  ).toBe(received);
}
