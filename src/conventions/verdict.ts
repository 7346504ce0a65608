import { UNRECOGNISED } from '../model/shared-verdict.ts';
import type { Recognised, SpanRole, Verdict } from '../model/verdict.ts';
import type { Draft } from '../support/draft.ts';

/** All of a verdict but what decided. */
export type VerdictDetails = Omit<Verdict, 'role' | 'rule'>;

/** A tool has a name, but for an execution, which is the call that stands around it. */
type ToolDetails = VerdictDetails & ({ readonly name: string } | { readonly isExecution: true });

/** Makes a verdict. By a spread of what is given, so that all verdicts of one rule have one shape. */
export function verdict(role: 'tool', rule: string, details: ToolDetails): Verdict;
export function verdict(role: Exclude<SpanRole, 'tool'>, rule: string, details?: VerdictDetails): Verdict;
export function verdict(role: SpanRole, rule: string, details?: VerdictDetails): Verdict {
  return { role, rule, ...details };
}

/** What of a verdict is text from a span. */
export const VERDICT_TEXTS = [
  'name',
  'frameworkName',
  'agentId',
  'stampedAgent',
  'callId',
  'modelName',
] as const satisfies readonly (keyof Verdict)[];

/** The same verdict with each of these texts as `change` makes it. */
export function withTexts(verdict: Verdict, change: (text: string) => string): Verdict {
  const made: Draft<Verdict> = { ...verdict };
  for (const key of VERDICT_TEXTS) {
    const text = made[key];
    if (text !== undefined) made[key] = change(text);
  }
  return made;
}

/** Where a verdict is put that was made or found, for one span after another. */
export class Recognition implements Recognised {
  verdict: Verdict = UNRECOGNISED;
  callId: string | undefined;

  put(verdict: Verdict, callId = verdict.callId): void {
    this.verdict = verdict;
    this.callId = callId;
  }

  /** The verdict with the call's id in it. */
  get whole(): Verdict {
    const { verdict, callId } = this;
    return verdict.callId === callId ? verdict : { ...verdict, callId };
  }
}
