import type { SpanRole, Verdict } from './verdict.ts';

/**
 * A verdict that stands for many spans, so that it takes no memory for each; a copy of it is one of its own. All have
 * all the fields that there are, in one order, so that to read one is a step whatever it says.
 */
class SharedVerdict implements Verdict {
  readonly role: SpanRole;
  readonly rule: string;
  readonly weak: true | undefined;
  readonly unverified: true | undefined;
  readonly name: string | undefined;
  readonly frameworkName: string | undefined;
  readonly agentId: string | undefined;
  readonly stampedAgent: string | undefined;
  readonly callId: string | undefined;
  readonly isMcp: true | undefined;
  readonly isExecution: true | undefined;
  readonly mayBePrompt: true | undefined;
  readonly isFlat: true | undefined;
  readonly promptTokens: number | undefined;
  readonly outputTokens: number | undefined;
  readonly totalTokens: number | undefined;
  readonly modelName: string | undefined;
  readonly toolCallCount: number | undefined;

  constructor(verdict: Verdict) {
    this.role = verdict.role;
    this.rule = verdict.rule;
    this.weak = verdict.weak;
    this.unverified = verdict.unverified;
    this.name = verdict.name;
    this.frameworkName = verdict.frameworkName;
    this.agentId = verdict.agentId;
    this.stampedAgent = verdict.stampedAgent;
    this.callId = verdict.callId;
    this.isMcp = verdict.isMcp;
    this.isExecution = verdict.isExecution;
    this.mayBePrompt = verdict.mayBePrompt;
    this.isFlat = verdict.isFlat;
    this.promptTokens = verdict.promptTokens;
    this.outputTokens = verdict.outputTokens;
    this.totalTokens = verdict.totalTokens;
    this.modelName = verdict.modelName;
    this.toolCallCount = verdict.toolCallCount;
  }
}

export function sharedVerdict(verdict: Verdict): Verdict {
  return new SharedVerdict(verdict);
}

export function isShared(verdict: Verdict): boolean {
  return verdict instanceof SharedVerdict;
}

/** Shared by all spans that are nothing to us, which in most traces is nearly all of them. */
export const UNRECOGNISED: Verdict = sharedVerdict({ role: 'none', rule: 'none' });
