import { describe } from 'vitest';
import { itRecognises } from './recognising.ts';
import { spanOf } from './span-of.ts';

const root = { parentSpanId: undefined };

describe('LangSmith', () => {
  const kind = (name: string, more: Readonly<Record<string, unknown>> = {}) => ({
    'langsmith.span.kind': name,
    ...more,
  });
  itRecognises([
    [
      'a tool, whose operation names none',
      spanOf(
        'search',
        kind('tool', { 'gen_ai.operation.name': 'execute_tool', 'langsmith.trace.name': 'search' }),
      ),
      { role: 'tool', rule: 'langsmith.tool', name: 'search' },
    ],
    [
      'an agent, which is a chain of its name',
      spanOf(
        'researcher',
        kind('chain', {
          'langsmith.trace.name': 'researcher',
          'langsmith.metadata.lc_agent_name': 'researcher',
        }),
      ),
      { role: 'agent', rule: 'langsmith.chain.agent', frameworkName: 'researcher' },
    ],
    [
      'a chain inside it',
      spanOf('tools', kind('chain', { 'langsmith.metadata.lc_agent_name': 'researcher' })),
      { role: 'step', rule: 'langsmith.chain' },
    ],
    [
      'a root that its first child overwrote',
      spanOf(
        'research_workflow',
        kind('chain', { 'gen_ai.operation.name': 'chain', 'langsmith.trace.name': '__start__' }),
        root,
      ),
      { role: 'workflow', rule: 'langsmith.chain.root', frameworkName: 'research_workflow' },
    ],
    [
      'a model call',
      spanOf('ChatOpenAI', kind('llm', { 'gen_ai.request.model': 'm' })),
      { role: 'llm', rule: 'langsmith.llm', name: 'ChatOpenAI', modelName: 'm' },
    ],
  ]);
});

describe('Langfuse', () => {
  const type = (name: string, more: Readonly<Record<string, unknown>> = {}) => ({
    'langfuse.observation.type': name,
    ...more,
  });
  const meta = (agent: string, node?: string) => ({
    'langfuse.observation.metadata.lc_agent_name': agent,
    'langfuse.observation.metadata.langgraph_node': node,
  });
  itRecognises([
    ['a tool', spanOf('search', type('tool')), { role: 'tool', rule: 'langfuse.tool', name: 'search' }],
    [
      'an agent',
      spanOf('planner', type('agent')),
      { role: 'agent', rule: 'langfuse.agent', frameworkName: 'planner' },
    ],
    [
      'LangChain: an agent that is a span',
      spanOf('planner', type('span', meta('planner'))),
      { role: 'agent', rule: 'langfuse.span.agent', frameworkName: 'planner' },
    ],
    [
      'LangChain, Python: names in quotes',
      spanOf('planner', type('chain', meta('"planner"', '"tools"'))),
      { role: 'agent', rule: 'langfuse.span.agent', frameworkName: 'planner' },
    ],
    [
      'LangGraph, Python: a node called agent',
      spanOf('agent', type('agent', meta('"planner"', '"agent"'))),
      { role: 'step', rule: 'langfuse.span' },
    ],
    [
      'LangGraph: a node called agent',
      spanOf('agent', type('agent', meta('planner', 'agent'))),
      { role: 'step', rule: 'langfuse.span' },
    ],
    [
      'LangChain: a node',
      spanOf('tools', type('span', meta('planner', 'tools'))),
      { role: 'step', rule: 'langfuse.span' },
    ],
    [
      'a root',
      spanOf('report', type('span'), root),
      { role: 'workflow', rule: 'langfuse.span.root', frameworkName: 'report' },
    ],
    [
      'a generation',
      spanOf('gpt', type('generation', { 'langfuse.observation.model.name': 'm' })),
      { role: 'llm', rule: 'langfuse.generation', name: 'gpt', modelName: 'm' },
    ],
    ['an event', spanOf('x', type('event')), { role: 'none', rule: 'langfuse.other' }],
  ]);
});

describe('Laminar, AgentOps, NeMo Agent Toolkit, Dify, MLflow', () => {
  itRecognises([
    [
      'Laminar: a tool',
      spanOf('ai.tool search', {
        'lmnr.span.type': 'TOOL',
        'ai.toolCall.name': 'search',
        'ai.toolCall.id': 'c1',
      }),
      { role: 'tool', rule: 'laminar.TOOL', name: 'search', callId: 'c1' },
    ],
    [
      'Laminar: a model call',
      spanOf('gpt', { 'lmnr.span.type': 'LLM', 'gen_ai.request.model': 'm' }),
      { role: 'llm', rule: 'laminar.LLM', name: 'gpt', modelName: 'm' },
    ],
    [
      'Laminar: anything else',
      spanOf('x', { 'lmnr.span.type': 'DEFAULT' }),
      { role: 'step', rule: 'laminar.DEFAULT' },
    ],
    [
      'AgentOps: a tool',
      spanOf('search.tool', { 'agentops.span.kind': 'tool', 'operation.name': 'search' }),
      { role: 'tool', rule: 'agentops.tool', name: 'search' },
    ],
    [
      'AgentOps: an agent',
      spanOf('planner.agent', { 'agentops.span.kind': 'agent', 'agent.name': 'planner' }),
      { role: 'agent', rule: 'agentops.agent', name: 'planner' },
    ],
    [
      'AgentOps: a session, which lasts as long as the process',
      spanOf('session', { 'agentops.span.kind': 'session' }),
      { role: 'none', rule: 'agentops.other' },
    ],
    [
      'NAT: a tool, not the function around it',
      spanOf('search', {
        'nat.span.kind': 'TOOL',
        'nat.event_type': 'TOOL_START',
        'nat.subspan.name': 'search',
        'nat.function.name': 'react_agent',
      }),
      { role: 'tool', rule: 'nat.TOOL', name: 'search' },
    ],
    [
      "NAT: a prefix of the user's",
      spanOf('search', { 'acme.span.kind': 'TOOL', 'acme.event_type': 'TOOL_START' }),
      { role: 'tool', rule: 'nat.TOOL', name: 'search' },
    ],
    [
      "NAT: a kind without its event is somebody else's",
      spanOf('x', { 'acme.span.kind': 'TOOL', 'acme.event_type': 'click' }),
      { role: 'none', rule: 'none' },
    ],
    [
      'NAT: a function',
      spanOf('search', { 'nat.span.kind': 'FUNCTION' }),
      { role: 'step', rule: 'nat.FUNCTION' },
    ],
    [
      'NAT: a workflow',
      spanOf('report', { 'nat.span.kind': 'WORKFLOW' }),
      { role: 'workflow', rule: 'nat.WORKFLOW', frameworkName: 'report' },
    ],
    [
      'Dify: a tool',
      spanOf('node', { 'gen_ai.span.kind': 'TOOL', 'tool.name': 'search' }),
      { role: 'tool', rule: 'dify.TOOL', name: 'search' },
    ],
    ['Dify: a chain', spanOf('node', { 'gen_ai.span.kind': 'CHAIN' }), { role: 'step', rule: 'dify.CHAIN' }],
    [
      'Dify: a model call',
      spanOf('gpt', { 'gen_ai.span.kind': 'LLM', 'gen_ai.usage.total_tokens': 9 }),
      { role: 'llm', rule: 'dify.LLM', name: 'gpt', totalTokens: 9 },
    ],
    [
      'MLflow: a tool, its type quoted as JSON',
      spanOf('search', { 'mlflow.spanType': '"TOOL"' }),
      { role: 'tool', rule: 'mlflow.tool', name: 'search', unverified: true },
    ],
    [
      'MLflow: a chat model',
      spanOf('chat', { 'mlflow.spanType': '"CHAT_MODEL"' }),
      { role: 'llm', rule: 'mlflow.llm', name: 'chat', unverified: true },
    ],
    [
      'MLflow: a chain',
      spanOf('x', { 'mlflow.spanType': '"CHAIN"' }),
      { role: 'step', rule: 'mlflow.step', unverified: true },
    ],
  ]);
});
