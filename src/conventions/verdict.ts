import type { SpanRole, Verdict } from '../model/verdict.ts';

/** The optional part of a verdict, where what was not found may be given as undefined. */
export type VerdictDetails = {
  readonly [Key in keyof Omit<Verdict, 'role' | 'rule'>]: Verdict[Key] | undefined;
};

/** Makes a verdict, leaving out what is undefined: a buffered trace holds thousands of them. */
export function verdict(role: SpanRole, rule: string, details?: VerdictDetails): Verdict {
  const made: Record<string, unknown> = { role, rule };
  for (const key in details) {
    const value = details[key as keyof VerdictDetails];
    if (value !== undefined) made[key] = value;
  }
  return made as unknown as Verdict;
}
