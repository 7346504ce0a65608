import type { Time } from './time.ts';

/** What kind of work a call was. Only tool calls form groups; LLM calls are kept as context. */
export type CallKind = 'tool' | 'llm';

/** One tool or LLM call of a run. */
export interface CallRecord {
  readonly kind: CallKind;
  readonly name: string;
  readonly startedAt: Time;
  /** Absent where the call had not ended when the run was made; such a call forms no group. */
  readonly endedAt?: Time;
  /**
   * Only calls of one scope can form a group: the span id of the nearest enclosing tool call or agent. Absent where
   * all calls of the run are of one scope.
   */
  readonly scope?: string;
  /** Tells calls of different processes (and so different clocks) apart; absent where the run has one process only. */
  readonly resource?: string;
  readonly outputTokens?: number;
  readonly promptTokens?: number;
  readonly totalTokens?: number;
  readonly modelName?: string;
  readonly toolCallCount?: number;
}

/** One agent's work inside a trace: what the learner learns from. */
export interface RunRecord {
  readonly id: string;
  readonly agentId: string;
  readonly startedAt: Time;
  readonly endedAt?: Time;
  /** In the order of start, name, end. */
  readonly calls: readonly CallRecord[];
  /** Milliseconds by which two calls must overlap to count as concurrent; absent means 0. */
  readonly minOverlapMillis?: number;
  /** The same for two calls of different `resource`; absent means as `minOverlapMillis`. */
  readonly crossResourceOverlapMillis?: number;
}
