import type { Verdict } from './verdict.ts';

/** What differs between model calls that are alike. */
export interface TokenCounts {
  readonly promptTokens: number | undefined;
  readonly outputTokens: number | undefined;
  readonly totalTokens: number | undefined;
}

/** The verdict of one model call, with the fields that there are for one. */
export class ModelVerdict implements Verdict, TokenCounts {
  readonly role = 'llm';
  readonly rule: string;
  readonly weak: true | undefined;
  readonly unverified: true | undefined;
  readonly name: string | undefined;
  readonly stampedAgent: string | undefined;
  readonly isFlat: true | undefined;
  readonly promptTokens: number | undefined;
  readonly outputTokens: number | undefined;
  readonly totalTokens: number | undefined;
  readonly modelName: string | undefined;
  readonly toolCallCount: number | undefined;

  /** As another one, but for its counts. */
  constructor(verdict: Verdict, counts: TokenCounts) {
    this.rule = verdict.rule;
    this.weak = verdict.weak;
    this.unverified = verdict.unverified;
    this.name = verdict.name;
    this.stampedAgent = verdict.stampedAgent;
    this.isFlat = verdict.isFlat;
    this.promptTokens = counts.promptTokens;
    this.outputTokens = counts.outputTokens;
    this.totalTokens = counts.totalTokens;
    this.modelName = verdict.modelName;
    this.toolCallCount = verdict.toolCallCount;
  }
}

/** Whether a ModelVerdict would say all that the verdict does. */
export function isOfModel(verdict: Verdict): boolean {
  const { role, frameworkName, agentId, callId, isMcp, isExecution, mayBePrompt } = verdict;
  return (
    role === 'llm' &&
    (frameworkName ?? agentId ?? callId ?? isMcp ?? isExecution ?? mayBePrompt) === undefined
  );
}
