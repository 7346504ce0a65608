import { isDeepStrictEqual } from 'node:util';
import { isOfModel } from '../model/model-verdict.ts';
import type { Span } from '../model/span.ts';
import type { Verdict } from '../model/verdict.ts';
import { WatchedSpan } from './watched-span.ts';

/** Makes the verdict of a span; pure. @param isAgain whether faults were told of already. */
export type Judge = (span: Span, isAgain?: boolean) => Verdict;

/** Other values than spans have, which a judge that only hands them on does not know from others. */
const OTHERS = {
  callId: 'another_id_0123456789',
  promptTokens: 1_000_003,
  outputTokens: 1_000_033,
  totalTokens: 1_000_037,
} as const;

/** A field of a verdict that may be an attribute's value, and decide nothing. */
type Field = keyof typeof OTHERS;
const COUNTS = ['promptTokens', 'outputTokens', 'totalTokens'] as const satisfies readonly Field[];

/** The names of the attributes whose values are these fields. */
export type HandedOn = Partial<Record<Field, string>>;

/**
 * Finds the attributes each of which is one field of the verdict, where with other values there the verdict is the same
 * but for that: the id of a tool's call, or the counts of a model's.
 */
export function handedOn(verdict: Verdict, span: Span, { read }: WatchedSpan, judge: Judge): HandedOn {
  const found: HandedOn = {};
  const instead: Record<string, unknown> = {};
  const expected: Record<string, unknown> = { ...verdict };
  for (const field of isOfModel(verdict) ? COUNTS : (['callId'] as const)) {
    const value = verdict[field];
    if (typeof value !== 'string' && !isCount(value)) continue;
    const name = [...read.keys()].find((key) => read.get(key) === value);
    if (name === undefined) continue;
    found[field] = name;
    instead[name] = expected[field] = anotherThan(value, OTHERS[field]);
  }
  if (Object.keys(found).length === 0) return NOTHING;
  const other = new WatchedSpan(span, instead);
  const isSame = isDeepStrictEqual(judge(other.span, true), expected);
  return isSame && isDeepStrictEqual([...other.read.keys()], [...read.keys()]) ? found : NOTHING;
}

const NOTHING: HandedOn = {};

/** Whether it is a number of tokens, and means nothing else: there are conventions to which 0 says that it is not known. */
export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

function anotherThan(value: unknown, other: string | number): string | number {
  if (value !== other) return other;
  return typeof other === 'string' ? `${other}0` : other + 1_000;
}
