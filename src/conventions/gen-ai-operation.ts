import type { SpanRole } from '../model/verdict.ts';

/**
 * What a value of `gen_ai.operation.name` makes of its span. Frameworks add values of their own to those of the
 * conventions.
 * @returns undefined for an operation that nobody is known to write, and for values that are no text.
 */
export function genAiOperationRole(operation: unknown): SpanRole | undefined {
  return typeof operation === 'string' ? ROLES.get(operation) : undefined;
}

const ROLES: ReadonlyMap<string, SpanRole> = new Map<string, SpanRole>([
  // the conventions, all versions
  ['execute_tool', 'tool'],
  ['invoke_agent', 'agent'],
  ['invoke_workflow', 'workflow'],
  ['plan', 'step'],
  ['chat', 'llm'],
  ['text_completion', 'llm'],
  ['generate_content', 'llm'],
  ['create_agent', 'none'],
  ['embeddings', 'none'],
  ['retrieval', 'none'],
  // Gemini CLI
  ['tool_call', 'tool'],
  ['agent_call', 'agent'],
  ['llm_call', 'llm'],
  ['user_prompt', 'workflow'],
  ['system_prompt', 'workflow'],
  // Mastra
  ['mcp_tool_call', 'tool'],
  // Strands
  ['invoke_swarm', 'workflow'],
  ['invoke_graph', 'workflow'],
  ['execute_event_loop_cycle', 'step'],
  ['execute_agent_loop_cycle', 'step'],
  ['execute_node', 'step'],
  // AI SDK 7
  ['agent_step', 'step'],
  // OpenLLMetry
  ['workflow', 'workflow'],
  ['execute_task', 'step'],
  ['text_completions', 'llm'],
  ['handoff', 'none'],
  // Google ADK
  ['invoke_node', 'step'],
  // Claude Agent SDK
  ['execute_hook', 'none'],
]);
