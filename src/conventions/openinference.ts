import type { Span } from '../model/span.ts';
import type { Verdict } from '../model/verdict.ts';
import { meaningful } from '../support/meaningful.ts';
import { text } from './attributes.ts';
import type { Convention } from './convention.ts';
import { kindRole } from './kind-role.ts';
import { langchainRun } from './langchain-run.ts';
import { OPENINFERENCE_USAGE_ATTRIBUTES, openInferenceUsage } from './openinference-usage.ts';
import { ownName } from './own-name.ts';
import { verdict } from './verdict.ts';

/**
 * OpenInference, told by `openinference.span.kind`. Its kinds are true for calls; what is an agent it leaves to each
 * instrumentation, so agents and chains are looked at more closely.
 */
export const openInference: Convention = {
  name: 'openinference',
  source:
    'Arize-ai/openinference spec/semantic_conventions.md; JS instrumentations langchain 4.1.1, openai-agents 0.2.15',
  attributes: [
    'openinference.span.kind',
    'tool.name',
    'tool_call.function.name',
    'tool_call.id',
    'tool.id',
    'traceloop.span.kind',
    'agent.name',
    'graph.node.id',
    'metadata',
    ...OPENINFERENCE_USAGE_ATTRIBUTES,
  ],
  recognise(span) {
    const kind = span.attributes['openinference.span.kind'];
    if (typeof kind !== 'string') return undefined;
    switch (kindRole(kind)) {
      case 'tool':
        return toolOf(span);
      case 'llm':
        return llmOf(span);
      case 'agent':
        return agentOf(span);
      case 'step':
        return chainOf(span);
      case 'none':
        return OTHER;
      default:
        return undefined;
    }
  },
};

/** Retriever, reranker, embedding, guardrail, evaluator, prompt. */
const OTHER: Verdict = { role: 'none', rule: 'openinference.other' };
const HANDOFF: Verdict = { role: 'none', rule: 'openinference.handoff' };
/** OpenInference's processor for OpenLLMetry spans calls every task a tool. */
const TASK: Verdict = { role: 'step', rule: 'openinference.task' };
const CHAIN: Verdict = { role: 'step', rule: 'openinference.CHAIN' };
const LLAMA_INDEX = 'openinference.instrumentation.llama_index';
/** LlamaIndex's agents are chains like their steps, and their names stand nowhere. */
const LLAMA_INDEX_AGENT: Verdict = { role: 'agent', rule: 'openinference.CHAIN.llama_index_agent' };
/** Under Python a node called `agent` is an AGENT for each turn, and ends before the tools of that turn start. */
const NODE: Verdict = { role: 'step', rule: 'openinference.node' };

function toolOf(span: Span): Verdict | undefined {
  const { attributes } = span;
  const stated = text(attributes, 'tool.name');
  if (stated === undefined && span.name.startsWith('handoff to ')) return HANDOFF;
  if (stated === undefined && attributes['traceloop.span.kind'] === 'task') return TASK;
  const name = stated ?? text(attributes, 'tool_call.function.name') ?? meaningful(span.name);
  return name === undefined ? CHAIN : toolVerdict(span, 'openinference.TOOL', name);
}

function toolVerdict({ attributes }: Span, rule: string, name: string): Verdict {
  return {
    role: 'tool',
    rule,
    name,
    callId: text(attributes, 'tool_call.id') ?? text(attributes, 'tool.id'),
  };
}

function llmOf(span: Span): Verdict {
  const { promptTokens, outputTokens, totalTokens, modelName, toolCallCount } = openInferenceUsage(
    span.attributes,
  );
  return {
    role: 'llm',
    rule: 'openinference.LLM',
    name: meaningful(span.name),
    promptTokens,
    outputTokens,
    totalTokens,
    modelName,
    toolCallCount,
  };
}

function agentOf(span: Span): Verdict {
  const { attributes } = span;
  // LangChain under Python: whatever has `agent` in its name is an AGENT, tools included
  const tool = text(attributes, 'tool.name');
  if (tool !== undefined) return toolVerdict(span, 'openinference.AGENT.tool', tool);
  const run = langchainRun(attributes.metadata);
  if (run?.node !== undefined && run.node === span.name) return NODE;
  return verdict('agent', 'openinference.AGENT', {
    name: ownName(text(attributes, 'agent.name')),
    frameworkName:
      ownName(text(attributes, 'graph.node.id')) ?? ownName(run?.agentName) ?? agentSpanName(span),
  });
}

/**
 * Whoever makes AGENT spans by hand, with openinference-core or a tracer of their own, names them after the agent.
 * Instrumentations of frameworks name theirs after the kind of work (`Agent workflow`, `ai.chat`, `CodeAgent.run`),
 * all but LangChain's, whose spans have the names of the runs, and smolagents', which put the agent's name, where it
 * has one, in place of its class.
 */
function agentSpanName({ name, scopeName }: Span): string | undefined {
  if (scopeName === SMOLAGENTS)
    return name.endsWith('.run') ? ownName(name.slice(0, -'.run'.length)) : undefined;
  if (scopeName.includes('openinference') && scopeName.includes('instrumentation')) {
    return scopeName.includes('langchain') ? ownName(name) : undefined;
  }
  return ownName(name);
}

const SMOLAGENTS = 'openinference.instrumentation.smolagents';

/**
 * In LangChain's JavaScript instrumentation agents and graphs are chains like their nodes. An agent's own span bears
 * the agent's name; a graph's has no node around it.
 */
function chainOf(span: Span): Verdict {
  if (span.scopeName === LLAMA_INDEX && span.name.endsWith('Agent.run')) return LLAMA_INDEX_AGENT;
  const run = langchainRun(span.attributes.metadata);
  const isInside = run?.node !== undefined;
  if (run?.agentName !== undefined && (run.agentName === span.name || !isInside)) {
    return verdict('agent', 'openinference.CHAIN.agent', { frameworkName: ownName(run.agentName) });
  }
  if (isInside) return CHAIN;
  if (run?.integration === 'langgraph') {
    return verdict('workflow', 'openinference.CHAIN.graph', { frameworkName: ownName(span.name) });
  }
  // older versions write no metadata: what has no parent is the run as a whole
  if (span.parentSpanId !== undefined) return CHAIN;
  return verdict('workflow', 'openinference.CHAIN.root', { frameworkName: agentSpanName(span) });
}
