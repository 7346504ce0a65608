/**
 * What a span is. `agent` and `workflow` hold runs, `tool` and `llm` are calls, `step` is a wrapper that is looked
 * through (turn, node, loop cycle, batch), `none` is anything else.
 */
export type SpanRole = 'agent' | 'workflow' | 'tool' | 'llm' | 'step' | 'none';

/** What a span was recognised as, and by which rule. */
export interface Verdict {
  readonly role: SpanRole;
  /** Stable name of the rule that decided, `<convention>.<what matched>`; for `--explain` and metrics. */
  readonly rule: string;
  /** Weak verdicts count only in a trace where a rule that is not weak matched too. */
  readonly weak?: true | undefined;
  /** The rule rests on a secondary source; said so in `--explain`. */
  readonly unverified?: true | undefined;
  /**
   * tool: the tool's name; missing only where `isExecution`. llm: the name of the call. agent and workflow: the name
   * that the span states for itself (`gen_ai.agent.name` and the like).
   */
  readonly name?: string | undefined;
  /** agent, workflow: the identity found in the framework's own place (functionId, graph node, span name of a root). */
  readonly frameworkName?: string | undefined;
  /** agent: its stated id; used only where no name is found and it is not a generated id. */
  readonly agentId?: string | undefined;
  /** tool, llm: the agent's name stamped on the call itself. */
  readonly stampedAgent?: string | undefined;
  /** tool: the call's id; never a placeholder, never a JSON-RPC request id. */
  readonly callId?: string | undefined;
  /** tool: the span is one side of an MCP `tools/call`. */
  readonly isMcp?: true | undefined;
  /** tool: the span times the execution of the tool call that encloses it, whose interval it replaces (Claude Code). */
  readonly isExecution?: true | undefined;
  /**
   * tool: the emitter marks every function as a tool, prompts included (Semantic Kernel). Where a model call is directly
   * inside and there is no call id, it is a step.
   */
  readonly mayBePrompt?: true | undefined;
  /** The emitter hangs every span below one root, so parents do not tell what encloses what. */
  readonly isFlat?: true | undefined;
  /** llm: token counts, model and number of tool calls requested, where the convention gives them. */
  readonly promptTokens?: number | undefined;
  readonly outputTokens?: number | undefined;
  readonly totalTokens?: number | undefined;
  readonly modelName?: string | undefined;
  readonly toolCallCount?: number | undefined;
}

/** A verdict with the id of the call apart: so one stands for all calls of a tool, and takes no memory for each. */
export interface Recognised {
  /** May lack the call's id. */
  readonly verdict: Verdict;
  /** As in the verdict; undefined where there is none. */
  readonly callId: string | undefined;
}
