import type { Span } from '../model/span.ts';
import type { Verdict } from '../model/verdict.ts';
import { AGENT_TASK_ATTRIBUTES, agentTask } from './agent-task.ts';
import { firstText, firstTextOf, text } from './attributes.ts';
import type { Convention } from './convention.ts';
import { FLAT_EMITTER_ATTRIBUTES, isFlatEmitter, OPENLLMETRY_JS_LANGCHAIN } from './flat-emitter.ts';
import { genAiOperationRole } from './gen-ai-operation.ts';
import { GEN_AI_USAGE_ATTRIBUTES, genAiUsage } from './gen-ai-usage.ts';
import { LANGCHAIN_TOOL_ATTRIBUTES, langchainTool } from './langchain-tool.ts';
import { ownName } from './own-name.ts';
import { spanNameTool } from './span-name-tool.ts';
import { verdict } from './verdict.ts';

const TOOL_NAME_KEYS = [
  'gen_ai.tool.name',
  'spring.ai.tool.definition.name',
  'ai.toolCall.name',
  'mcp.tool.name',
  'tool.name',
  'traceloop.entity.name',
];
const CALL_ID_KEYS = [
  'gen_ai.tool.call.id',
  'gen_ai.tool.call_id',
  'spring.ai.tool.call.id',
  'ai.toolCall.id',
];
const STATED_AGENT_KEYS = ['gen_ai.agent.name', 'agent_name', 'agent.name'];
const FRAMEWORK_AGENT_KEYS = ['graph.node.id', 'ai.telemetry.functionId', 'traceloop.entity.name'];
const MCP_METHOD_KEYS = ['mcp.method.name', 'mcp.method'];

/**
 * OpenTelemetry's GenAI conventions, told by `gen_ai.operation.name`, with the operations that frameworks add: Gemini
 * CLI, Strands, Google ADK, AI SDK 7, OpenLLMetry. Most frameworks arrive here.
 */
export const genAi: Convention = {
  name: 'gen_ai',
  source:
    'semantic-conventions 1.36.0 to 1.41.1, semantic-conventions-genai e8fc5751, and the emitters beside each operation',
  attributes: [
    'gen_ai.operation.name',
    'gen_ai.tool.type',
    'gen_ai.workflow.name',
    'gen_ai.agent.id',
    ...TOOL_NAME_KEYS,
    ...CALL_ID_KEYS,
    ...STATED_AGENT_KEYS,
    ...FRAMEWORK_AGENT_KEYS,
    ...MCP_METHOD_KEYS,
    ...GEN_AI_USAGE_ATTRIBUTES,
    ...LANGCHAIN_TOOL_ATTRIBUTES,
    ...FLAT_EMITTER_ATTRIBUTES,
    ...AGENT_TASK_ATTRIBUTES,
  ],
  recognise(span) {
    const operation = span.attributes['gen_ai.operation.name'];
    if (typeof operation !== 'string') return undefined;
    switch (genAiOperationRole(operation)) {
      case 'tool':
        return toolOf(span, operation);
      case 'agent':
        return agentOf(span, operation);
      case 'workflow':
        return workflowOf(span, operation);
      case 'llm':
        return llmOf(span, operation);
      case 'step':
        return stepOf(span, operation);
      case 'none':
        return verdict('none', `gen_ai.${operation}`);
      default:
        return undefined;
    }
  },
};

function toolOf(span: Span, operation: string): Verdict | undefined {
  const { attributes, scopeName } = span;
  const rule = `gen_ai.${operation}`;
  // AI SDK 7 makes these after the model's answer arrived; elsewhere `extension` is a tool like any other
  if (attributes['gen_ai.tool.type'] === 'extension' && scopeName === 'gen_ai') {
    return verdict('none', `${rule}.at_provider`);
  }
  const method = firstTextOf(attributes, MCP_METHOD_KEYS);
  if (method !== undefined && method !== 'tools/call') return verdict('none', `${rule}.mcp_other`);
  const isFlat = isFlatEmitter(span);
  const langchain = scopeName === OPENLLMETRY_JS_LANGCHAIN ? langchainTool(span) : undefined;
  // a function that wraps no named tool is still around what it calls
  if (langchain !== undefined && langchain.name === undefined) {
    return verdict('step', `${rule}.class_name`, { isFlat });
  }
  const stated = langchain?.name ?? firstTextOf(attributes, TOOL_NAME_KEYS);
  if (stated === undefined && isToolList(span)) return verdict('none', `${rule}.list`);
  const name = stated ?? spanNameTool(span.name);
  if (name === undefined) return undefined;
  const isMcp = method !== undefined || operation === 'mcp_tool_call' || span.name.startsWith('tools/call ');
  return {
    role: 'tool',
    rule,
    name,
    callId: langchain?.callId ?? firstTextOf(attributes, CALL_ID_KEYS),
    stampedAgent: stampedAgent(span),
    isMcp: isMcp || undefined,
    mayBePrompt: isSemanticKernel(scopeName),
    isFlat,
  };
}

/** OpenLIT marks the listing of a server's tools as the execution of one, and names the server after the verb. */
function isToolList({ name, scopeName }: Span): boolean {
  return scopeName.startsWith('openlit') || name.includes('list_tools') || name.includes('tools/list');
}

function isSemanticKernel(scopeName: string): true | undefined {
  return (
    scopeName.startsWith('semantic_kernel') || scopeName.startsWith('Microsoft.SemanticKernel') || undefined
  );
}

/** The text behind `invoke_agent ` is the model's name in AI SDK 7, so an agent's name is only read from attributes. */
function agentOf(span: Span, operation: string): Verdict {
  const { attributes, scopeName, kind } = span;
  const rule = `gen_ai.${operation}`;
  const isFlat = isFlatEmitter(span);
  const name = ownName(firstTextOf(attributes, STATED_AGENT_KEYS));
  // OpenLLMetry says `invoke_agent` of graphs, crews and tasks too, and in its own attribute which it is
  const level = attributes['traceloop.span.kind'];
  if (level === 'task') return verdict('step', `${rule}.task`, { isFlat });
  // guardrails, handoffs and custom spans of OpenLIT
  if (name === undefined && scopeName.startsWith('openlit')) return verdict('step', `${rule}.unnamed`);
  const frameworkName = ownName(firstTextOf(attributes, FRAMEWORK_AGENT_KEYS));
  if (level === 'workflow') return verdict('workflow', `${rule}.workflow`, { name, frameworkName, isFlat });
  // the root around several agents in opentelemetry-python-contrib; elsewhere SERVER is an agent called from afar
  if (kind === SERVER && scopeName.includes('openai_agents'))
    return verdict('workflow', `${rule}.root`, { name, frameworkName, isFlat });
  const agentId = ownName(text(attributes, 'gen_ai.agent.id'));
  return { role: 'agent', rule, name, frameworkName, agentId, isFlat };
}

const SERVER = 2;

function stepOf(span: Span, operation: string): Verdict {
  const agent = agentTask(span);
  if (agent !== undefined) return verdict('agent', `gen_ai.${operation}.agent`, { frameworkName: agent });
  return verdict('step', `gen_ai.${operation}`, { isFlat: isFlatEmitter(span) });
}

function workflowOf(span: Span, operation: string): Verdict {
  const rule = `gen_ai.${operation}`;
  const isFlat = isFlatEmitter(span);
  // every chain of LangChain is a workflow to OpenLLMetry for JavaScript, and none of them encloses anything
  if (isFlat && operation === 'workflow') return verdict('step', rule, { isFlat });
  return verdict('workflow', rule, {
    name: ownName(firstText(span.attributes, 'gen_ai.workflow.name', ...STATED_AGENT_KEYS)),
    isFlat,
  });
}

function llmOf(span: Span, operation: string): Verdict {
  const { promptTokens, outputTokens, totalTokens, modelName, toolCallCount } = genAiUsage(span.attributes);
  return {
    role: 'llm',
    rule: `gen_ai.${operation}`,
    name: operation,
    stampedAgent: stampedAgent(span),
    promptTokens,
    outputTokens,
    totalTokens,
    modelName,
    toolCallCount,
    isFlat: isFlatEmitter(span),
  };
}

/** On a call the agent's name says whose call it is, not what the call is. */
function stampedAgent({ attributes }: Span): string | undefined {
  return ownName(firstTextOf(attributes, STATED_AGENT_KEYS));
}
