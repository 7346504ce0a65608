import { describe } from 'vitest';
import { itRecognises } from './recognising.ts';
import { spanOf } from './span-of.ts';

const kind = (name: string, more: Readonly<Record<string, unknown>> = {}) => ({
  'openinference.span.kind': name,
  ...more,
});
const metadata = (value: unknown) => ({ metadata: JSON.stringify(value) });
const langchainJs = { scopeName: '@arizeai/openinference-instrumentation-langchain' };
const langchainPy = { scopeName: 'openinference.instrumentation.langchain' };
const root = { parentSpanId: undefined };

describe('OpenInference calls', () => {
  itRecognises([
    [
      'a tool',
      spanOf('run', kind('TOOL', { 'tool.name': 'search', 'tool_call.id': 'call_1' })),
      { role: 'tool', rule: 'openinference.TOOL', name: 'search', callId: 'call_1' },
    ],
    [
      'a tool named by its call',
      spanOf('run', kind('TOOL', { 'tool_call.function.name': 'search' })),
      { role: 'tool', rule: 'openinference.TOOL', name: 'search' },
    ],
    [
      'a tool of openinference-core, named by its span',
      spanOf('search', kind('TOOL'), { scopeName: 'openinference-core' }),
      { role: 'tool', rule: 'openinference.TOOL', name: 'search' },
    ],
    [
      'a kind in lower case',
      spanOf('search', kind('tool')),
      { role: 'tool', rule: 'openinference.TOOL', name: 'search' },
    ],
    [
      'smolagents: the attribute, not the class in the span name',
      spanOf('SimpleTool', kind('TOOL', { 'tool.name': 'web_search' })),
      { role: 'tool', rule: 'openinference.TOOL', name: 'web_search' },
    ],
    [
      'OpenAI Agents, Python: a handoff',
      spanOf('handoff to billing', kind('TOOL')),
      { role: 'none', rule: 'openinference.handoff' },
    ],
    [
      'a tool that is called so',
      spanOf('handoff to billing', kind('TOOL', { 'tool.name': 'handoff to billing' })),
      { role: 'tool', rule: 'openinference.TOOL', name: 'handoff to billing' },
    ],
    [
      'from OpenLLMetry: a task that the processor calls a tool',
      spanOf('load.task', kind('TOOL', { 'traceloop.span.kind': 'task' })),
      { role: 'step', rule: 'openinference.task' },
    ],
    [
      'a model call, its requested tools spread over messages',
      spanOf(
        'ChatOpenAI',
        kind('LLM', {
          'llm.model_name': 'gpt-4o',
          'llm.token_count.prompt': 100,
          'llm.token_count.completion': '20',
          'llm.token_count.total': 120,
          'llm.output_messages.1.message.tool_calls.0.tool_call.function.name': 'search',
          'llm.output_messages.1.message.tool_calls.1.tool_call.function.name': 'fetch',
          'llm.output_messages.3.message.tool_calls.0.tool_call.function.name': 'weather',
          'llm.tools.0.tool.json_schema': '{}',
        }),
      ),
      {
        role: 'llm',
        rule: 'openinference.LLM',
        name: 'ChatOpenAI',
        modelName: 'gpt-4o',
        promptTokens: 100,
        outputTokens: 20,
        totalTokens: 120,
        toolCallCount: 3,
      },
    ],
    ['a retriever', spanOf('search', kind('RETRIEVER')), { role: 'none', rule: 'openinference.other' }],
    ['a kind nobody knows', spanOf('x', kind('WIZARD')), { role: 'none', rule: 'none' }],
  ]);
});

const smolagents = { scopeName: 'openinference.instrumentation.smolagents' };
const llamaIndex = { scopeName: 'openinference.instrumentation.llama_index' };

describe('OpenInference agents', () => {
  itRecognises([
    [
      'by the name it states',
      spanOf('Planner.run', kind('AGENT', { 'agent.name': 'planner' })),
      { role: 'agent', rule: 'openinference.AGENT', name: 'planner', frameworkName: 'Planner.run' },
    ],
    [
      'CrewAI: by the graph node, which is the role',
      spanOf('Crew.kickoff', kind('AGENT', { 'graph.node.id': 'Researcher' }), {
        scopeName: 'openinference.instrumentation.crewai',
      }),
      { role: 'agent', rule: 'openinference.AGENT', frameworkName: 'Researcher' },
    ],
    [
      'smolagents: by the span name, which bears the name of the agent',
      spanOf('researcher.run', kind('AGENT'), smolagents),
      { role: 'agent', rule: 'openinference.AGENT', frameworkName: 'researcher' },
    ],
    [
      'smolagents: the class that stands there otherwise names nobody',
      spanOf('ToolCallingAgent.run', kind('AGENT'), smolagents),
      { role: 'agent', rule: 'openinference.AGENT' },
    ],
    [
      'Agno: a graph node made anew for each agent object names nobody',
      spanOf('Agent.arun', kind('AGENT', { 'graph.node.id': 'b6de028e15948977' }), {
        scopeName: 'openinference.instrumentation.agno',
      }),
      { role: 'agent', rule: 'openinference.AGENT' },
    ],
    [
      'LlamaIndex: an agent is a chain like its steps, and its name stands nowhere',
      spanOf('FunctionAgent.run', kind('CHAIN'), llamaIndex),
      { role: 'agent', rule: 'openinference.CHAIN.llama_index_agent' },
    ],
    [
      'LlamaIndex: a step',
      spanOf('BaseWorkflowAgent.run_agent_step', kind('CHAIN'), llamaIndex),
      { role: 'step', rule: 'openinference.CHAIN' },
    ],
    [
      'made by hand: by the span name',
      spanOf('research-agent', kind('AGENT'), { scopeName: 'openinference-core' }),
      { role: 'agent', rule: 'openinference.AGENT', frameworkName: 'research-agent' },
    ],
    [
      "made by hand with a tracer of one's own",
      spanOf('research-agent', kind('AGENT'), { scopeName: 'my-app' }),
      { role: 'agent', rule: 'openinference.AGENT', frameworkName: 'research-agent' },
    ],
    [
      'OpenAI Agents, JavaScript: the root names nobody',
      spanOf('Agent workflow', kind('AGENT'), {
        scopeName: '@arizeai/openinference-instrumentation-openai-agents',
      }),
      { role: 'agent', rule: 'openinference.AGENT' },
    ],
    [
      'TanStack: the kind of work in the span name names nobody',
      spanOf('ai.chat', kind('AGENT'), { scopeName: '@arizeai/openinference-instrumentation-tanstack-ai' }),
      { role: 'agent', rule: 'openinference.AGENT' },
    ],
    [
      'LangChain, Python: a tool that has "agent" in its name',
      spanOf('ask_agent', kind('AGENT', { 'tool.name': 'ask_agent' }), langchainPy),
      { role: 'tool', rule: 'openinference.AGENT.tool', name: 'ask_agent' },
    ],
    [
      'LangGraph, Python: the node called agent, one for each turn',
      spanOf('agent', kind('AGENT', metadata({ langgraph_node: 'agent', langgraph_step: 1 })), langchainPy),
      { role: 'step', rule: 'openinference.node' },
    ],
    [
      'LangGraph, Python: a graph whose name has "agent" in it',
      spanOf('research_agent', kind('AGENT'), langchainPy),
      { role: 'agent', rule: 'openinference.AGENT', frameworkName: 'research_agent' },
    ],
    [
      "LangChain, Python: the executor's class names nobody",
      spanOf('AgentExecutor', kind('AGENT'), langchainPy),
      { role: 'agent', rule: 'openinference.AGENT' },
    ],
  ]);
});

describe('OpenInference chains of LangChain and LangGraph', () => {
  const inGraph = { langgraph_node: 'tools', langgraph_step: 2 };
  itRecognises([
    [
      'an agent, which is marked as a chain',
      spanOf(
        'orchestrator',
        kind('CHAIN', metadata({ ls_integration: 'langchain_create_agent', lc_agent_name: 'orchestrator' })),
        langchainJs,
      ),
      { role: 'agent', rule: 'openinference.CHAIN.agent', frameworkName: 'orchestrator' },
    ],
    [
      'a sub-agent inside a node of its caller',
      spanOf('researcher', kind('CHAIN', metadata({ ...inGraph, lc_agent_name: 'researcher' })), langchainJs),
      { role: 'agent', rule: 'openinference.CHAIN.agent', frameworkName: 'researcher' },
    ],
    [
      'an agent whose run was given another name',
      spanOf('nightly report', kind('CHAIN', metadata({ lc_agent_name: 'orchestrator' })), langchainJs),
      { role: 'agent', rule: 'openinference.CHAIN.agent', frameworkName: 'orchestrator' },
    ],
    [
      'a node of an agent',
      spanOf('tools', kind('CHAIN', metadata({ ...inGraph, lc_agent_name: 'orchestrator' })), langchainJs),
      { role: 'step', rule: 'openinference.CHAIN' },
    ],
    [
      'a graph',
      spanOf('research_graph', kind('CHAIN', metadata({ ls_integration: 'langgraph' })), langchainJs),
      { role: 'workflow', rule: 'openinference.CHAIN.graph', frameworkName: 'research_graph' },
    ],
    [
      'a graph that was given no name',
      spanOf('LangGraph', kind('CHAIN', metadata({ ls_integration: 'langgraph' })), langchainJs),
      { role: 'workflow', rule: 'openinference.CHAIN.graph' },
    ],
    [
      'a node of a graph',
      spanOf(
        'planner',
        kind('CHAIN', metadata({ ls_integration: 'langgraph', langgraph_node: 'planner' })),
        langchainJs,
      ),
      { role: 'step', rule: 'openinference.CHAIN' },
    ],
    [
      'metadata that was cut off',
      spanOf(
        'orchestrator',
        kind('CHAIN', { metadata: '{"lc_agent_name":"orchestrator","langgraph_pa' }),
        langchainJs,
      ),
      { role: 'agent', rule: 'openinference.CHAIN.agent', frameworkName: 'orchestrator' },
    ],
    [
      "names inside the user's own metadata say nothing",
      spanOf(
        'orchestrator',
        kind('CHAIN', metadata({ mine: { lc_agent_name: 'orchestrator' } })),
        langchainJs,
      ),
      { role: 'step', rule: 'openinference.CHAIN' },
    ],
    [
      'an older version: the root is the run',
      spanOf('research_agent', kind('CHAIN'), { ...langchainJs, ...root }),
      { role: 'workflow', rule: 'openinference.CHAIN.root', frameworkName: 'research_agent' },
    ],
    [
      'an older version: a root that is a class',
      spanOf('RunnableSequence', kind('CHAIN'), { ...langchainJs, ...root }),
      { role: 'workflow', rule: 'openinference.CHAIN.root' },
    ],
    [
      'a chain inside something',
      spanOf('turn', kind('CHAIN')),
      { role: 'step', rule: 'openinference.CHAIN' },
    ],
  ]);
});
