import { expect, it } from 'vitest';
import { createRecogniser } from '../../src/conventions/recognise.ts';
import type { Span } from '../../src/model/span.ts';
import type { Verdict } from '../../src/model/verdict.ts';

/** What a span is, in words; the span; and the whole verdict on it. */
export type Case = readonly [what: string, span: Span, verdict: Verdict];

/** One test for each case, through all conventions: a convention is only right if no other one spoils it. */
export function itRecognises(cases: readonly Case[]): void {
  const recogniser = createRecogniser();
  it.each(cases)('%s', (_what, span, verdict) => {
    expect(recogniser.recognise(span)).toEqual(verdict);
  });
}
