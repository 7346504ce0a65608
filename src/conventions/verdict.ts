import type { SpanRole, Verdict } from '../model/verdict.ts';

/** All of a verdict but what decided. */
export type VerdictDetails = Omit<Verdict, 'role' | 'rule'>;

/** Makes a verdict. By a spread of what is given, so that all verdicts of one rule have one shape. */
export function verdict(role: SpanRole, rule: string, details?: VerdictDetails): Verdict {
  return { role, rule, ...details };
}
