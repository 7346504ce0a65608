import { describe } from 'vitest';
import { type Case, itRecognises } from './recognising.ts';
import { spanOf } from './span-of.ts';

const op = (name: string, more: Readonly<Record<string, unknown>> = {}) => ({
  'gen_ai.operation.name': name,
  ...more,
});
const named = (tool: string, id?: string) => ({
  'gen_ai.tool.name': tool,
  ...(id !== undefined && { 'gen_ai.tool.call.id': id }),
});

describe('GenAI conventions as written', () => {
  itRecognises([
    [
      'a tool',
      spanOf('execute_tool search', op('execute_tool', named('search', 'call_1'))),
      { role: 'tool', rule: 'gen_ai.execute_tool', name: 'search', callId: 'call_1' },
    ],
    [
      'a tool that only its span name names',
      spanOf('execute_tool search', op('execute_tool')),
      { role: 'tool', rule: 'gen_ai.execute_tool', name: 'search' },
    ],
    [
      'the attribute before the span name, which drafts append a target to',
      spanOf('execute_tool transfer to billing', op('execute_tool', named('transfer'))),
      { role: 'tool', rule: 'gen_ai.execute_tool', name: 'transfer' },
    ],
    [
      'an agent in this process',
      spanOf(
        'invoke_agent planner',
        op('invoke_agent', { 'gen_ai.agent.name': 'planner', 'gen_ai.agent.id': 'asst_5' }),
      ),
      { role: 'agent', rule: 'gen_ai.invoke_agent', name: 'planner', agentId: 'asst_5' },
    ],
    [
      'an agent elsewhere (CLIENT)',
      spanOf('invoke_agent planner', op('invoke_agent', { 'gen_ai.agent.name': 'planner' }), { kind: 3 }),
      { role: 'agent', rule: 'gen_ai.invoke_agent', name: 'planner' },
    ],
    [
      'an agent without a name: the span name may hold the model',
      spanOf('invoke_agent gpt-4o', op('invoke_agent', { 'gen_ai.request.model': 'gpt-4o' })),
      { role: 'agent', rule: 'gen_ai.invoke_agent' },
    ],
    ...['agent', 'Strands Agents', 'Strands Agent', '53fd07fc-25bd-4a78-8b17-4de6b6408baa'].map(
      (name): Case => [
        `what a framework writes where no name was given names nobody: ${name}`,
        spanOf(`invoke_agent ${name}`, op('invoke_agent', { 'gen_ai.agent.name': name })),
        { role: 'agent', rule: 'gen_ai.invoke_agent' },
      ],
    ),
    [
      'nor is such an id one',
      spanOf('invoke_agent', op('invoke_agent', { 'gen_ai.agent.id': 'agent' })),
      { role: 'agent', rule: 'gen_ai.invoke_agent' },
    ],
    [
      'the making of an agent, which runs nothing',
      spanOf('create_agent planner', op('create_agent')),
      { role: 'none', rule: 'gen_ai.create_agent' },
    ],
    [
      'a workflow',
      spanOf('invoke_workflow report', op('invoke_workflow', { 'gen_ai.workflow.name': 'report' })),
      { role: 'workflow', rule: 'gen_ai.invoke_workflow', name: 'report' },
    ],
    [
      'a model call of the current generation',
      spanOf(
        'chat gpt-4o',
        op('chat', {
          'gen_ai.request.model': 'gpt-4o',
          'gen_ai.response.model': 'gpt-4o-2024-08-06',
          'gen_ai.usage.input_tokens': 120,
          'gen_ai.usage.output_tokens': 7,
          'gen_ai.usage.cache_read.input_tokens': 100,
          'gen_ai.agent.name': 'planner',
          'gen_ai.tool.definitions': '[{"name":"search"}]',
          'gen_ai.output.messages':
            '[{"role": "assistant", "parts": [{"type": "text", "content": "\\"type\\": \\"tool_call\\""}, {"type": "tool_call", "name": "search", "arguments": {"type": "tool_call"}}, {"type": "tool_call", "name": "fetch"}]}]',
        }),
        { kind: 3 },
      ),
      {
        role: 'llm',
        rule: 'gen_ai.chat',
        name: 'chat',
        stampedAgent: 'planner',
        modelName: 'gpt-4o-2024-08-06',
        promptTokens: 120,
        outputTokens: 7,
        toolCallCount: 2,
      },
    ],
    [
      'a model call of the old generation, its numbers as text',
      spanOf(
        'text_completion m',
        op('text_completion', {
          'gen_ai.request.model': 'm',
          'gen_ai.usage.prompt_tokens': '80',
          'gen_ai.usage.completion_tokens': '12',
          'llm.usage.total_tokens': '92',
        }),
      ),
      {
        role: 'llm',
        rule: 'gen_ai.text_completion',
        name: 'text_completion',
        modelName: 'm',
        promptTokens: 80,
        outputTokens: 12,
        totalTokens: 92,
      },
    ],
    ['embeddings', spanOf('embeddings m', op('embeddings')), { role: 'none', rule: 'gen_ai.embeddings' }],
    [
      'an operation nobody knows',
      spanOf('x', op('ponder', { 'gen_ai.request.model': 'm' })),
      { role: 'none', rule: 'none' },
    ],
    [
      'a call id that says there is none',
      spanOf('execute_tool search', op('execute_tool', named('search', '<not specified>'))),
      { role: 'tool', rule: 'gen_ai.execute_tool', name: 'search' },
    ],
    [
      'an empty call id (VS Code)',
      spanOf('execute_tool search', op('execute_tool', named('search', ''))),
      { role: 'tool', rule: 'gen_ai.execute_tool', name: 'search' },
    ],
  ]);
});

describe('MCP inside the GenAI conventions', () => {
  itRecognises([
    [
      'a client request, whose JSON-RPC id is no call id',
      spanOf(
        'tools/call weather',
        op('execute_tool', {
          ...named('weather'),
          'mcp.method.name': 'tools/call',
          'jsonrpc.request.id': '2',
        }),
        { kind: 3 },
      ),
      { role: 'tool', rule: 'gen_ai.execute_tool', name: 'weather', isMcp: true },
    ],
    [
      'Microsoft Agent Framework: a client span below the tool span, with nothing but its name to tell',
      spanOf('tools/call weather', op('execute_tool', named('weather')), { kind: 3 }),
      { role: 'tool', rule: 'gen_ai.execute_tool', name: 'weather', isMcp: true },
    ],
    [
      'a listing that says so',
      spanOf('execute_tool files', op('execute_tool', { 'mcp.method': 'tools/list' })),
      { role: 'none', rule: 'gen_ai.execute_tool.mcp_other' },
    ],
    [
      'OpenLIT: the listing of a server is marked as a tool named after the server',
      spanOf('execute_tool files', op('execute_tool'), {
        scopeName: 'openlit.instrumentation.openai_agents',
      }),
      { role: 'none', rule: 'gen_ai.execute_tool.list' },
    ],
    [
      'OpenLIT: a tool',
      spanOf('execute_tool search', op('execute_tool', named('search')), {
        scopeName: 'openlit.instrumentation.openai_agents',
      }),
      { role: 'tool', rule: 'gen_ai.execute_tool', name: 'search' },
    ],
    [
      'OpenLIT: a guardrail that is called an agent',
      spanOf('invoke_agent guardrail', op('invoke_agent'), {
        scopeName: 'openlit.instrumentation.openai_agents',
      }),
      { role: 'step', rule: 'gen_ai.invoke_agent.unnamed' },
    ],
  ]);
});

describe('frameworks that follow the GenAI conventions', () => {
  const ai7 = { scopeName: 'gen_ai' };
  itRecognises([
    [
      'AI SDK 7: an agent, whose span is named after the model',
      spanOf('invoke_agent gpt-4o-mini', op('invoke_agent', { 'gen_ai.agent.name': 'research-agent' }), ai7),
      { role: 'agent', rule: 'gen_ai.invoke_agent', name: 'research-agent' },
    ],
    [
      'AI SDK 7: a step',
      spanOf('step 1', op('agent_step'), ai7),
      { role: 'step', rule: 'gen_ai.agent_step' },
    ],
    [
      'AI SDK 7: a tool that ran at the provider',
      spanOf(
        'execute_tool web_search',
        op('execute_tool', { ...named('web_search', 'c1'), 'gen_ai.tool.type': 'extension' }),
        ai7,
      ),
      { role: 'none', rule: 'gen_ai.execute_tool.at_provider' },
    ],
    [
      'another emitter: an extension is a tool like any other',
      spanOf(
        'execute_tool lookup',
        op('execute_tool', { ...named('lookup'), 'gen_ai.tool.type': 'extension' }),
      ),
      { role: 'tool', rule: 'gen_ai.execute_tool', name: 'lookup' },
    ],
    [
      'pydantic-ai 2: a tool with its agent stamped on it',
      spanOf(
        'execute_tool search',
        op('execute_tool', { ...named('search', 'c1'), 'gen_ai.agent.name': 'planner' }),
        {
          scopeName: 'pydantic-ai',
        },
      ),
      { role: 'tool', rule: 'gen_ai.execute_tool', name: 'search', callId: 'c1', stampedAgent: 'planner' },
    ],
    [
      'pydantic-ai 1.90: an old span name over a new operation',
      spanOf('running tool', op('execute_tool', named('search', 'c1')), { scopeName: 'pydantic-ai' }),
      { role: 'tool', rule: 'gen_ai.execute_tool', name: 'search', callId: 'c1' },
    ],
    [
      'pydantic-ai 1.90: an agent',
      spanOf('agent run', op('invoke_agent', { agent_name: 'planner' }), { scopeName: 'pydantic-ai' }),
      { role: 'agent', rule: 'gen_ai.invoke_agent', name: 'planner' },
    ],
    [
      'logfire, Claude Agent SDK: a tool whose parent says nothing',
      spanOf('execute_tool Bash', op('execute_tool', named('Bash', 'toolu_1')), {
        scopeName: 'logfire.claude_agent_sdk',
      }),
      { role: 'tool', rule: 'gen_ai.execute_tool', name: 'Bash', callId: 'toolu_1', isFlat: true },
    ],
    [
      'OpenInference, Claude Agent SDK: keeps the tree',
      spanOf('execute_tool Bash', op('execute_tool', named('Bash')), {
        scopeName: 'openinference.instrumentation.claude_agent_sdk',
      }),
      { role: 'tool', rule: 'gen_ai.execute_tool', name: 'Bash' },
    ],
    [
      'Strands: a swarm',
      spanOf('invoke_swarm', op('invoke_swarm', { 'gen_ai.agent.name': 'swarm' })),
      { role: 'workflow', rule: 'gen_ai.invoke_swarm', name: 'swarm' },
    ],
    [
      'Strands: a graph',
      spanOf('invoke_graph', op('invoke_graph')),
      { role: 'workflow', rule: 'gen_ai.invoke_graph' },
    ],
    [
      'Strands: a loop cycle',
      spanOf('execute_event_loop_cycle', op('execute_event_loop_cycle')),
      { role: 'step', rule: 'gen_ai.execute_event_loop_cycle' },
    ],
    [
      'ADK: a node',
      spanOf('invoke_node fetch', op('invoke_node')),
      { role: 'step', rule: 'gen_ai.invoke_node' },
    ],
    [
      'ADK: a model call, which has no operation, says its agent',
      spanOf('call_llm', {
        'gen_ai.request.model': 'gemini-2.5-flash',
        'gen_ai.agent.name': 'research_agent',
      }),
      {
        role: 'llm',
        rule: 'model_attribute.model',
        name: 'call_llm',
        modelName: 'gemini-2.5-flash',
        stampedAgent: 'research_agent',
        weak: true,
      },
    ],
    [
      'Semantic Kernel, Python: any kernel function, which assembly tells apart',
      spanOf('execute_tool weather-get', op('execute_tool', named('weather-get')), {
        scopeName: 'semantic_kernel.functions.kernel_function',
      }),
      { role: 'tool', rule: 'gen_ai.execute_tool', name: 'weather-get', mayBePrompt: true },
    ],
    [
      'Semantic Kernel, .NET',
      spanOf('execute_tool Summarize', op('execute_tool', named('Summarize')), {
        scopeName: 'Microsoft.SemanticKernel',
      }),
      { role: 'tool', rule: 'gen_ai.execute_tool', name: 'Summarize', mayBePrompt: true },
    ],
    [
      'Microsoft Agent Framework: a call id that is unknown',
      spanOf('execute_tool get_weather', op('execute_tool', named('get_weather', 'unknown'))),
      { role: 'tool', rule: 'gen_ai.execute_tool', name: 'get_weather' },
    ],
    [
      'AutoGen: the making of an agent',
      spanOf('create_agent A', op('create_agent', { 'gen_ai.system': 'autogen' })),
      { role: 'none', rule: 'gen_ai.create_agent' },
    ],
    [
      'Spring AI: a name in a place of its own',
      spanOf(
        'execute_tool currentWeather',
        op('execute_tool', {
          'spring.ai.tool.definition.name': 'currentWeather',
          'spring.ai.tool.call.id': 'c9',
        }),
      ),
      { role: 'tool', rule: 'gen_ai.execute_tool', name: 'currentWeather', callId: 'c9' },
    ],
    [
      'Anthropic SDK: a tool of the tool runner',
      spanOf('anthropic.custom_tool_use get_weather', op('execute_tool', named('get_weather', 'toolu_1'))),
      { role: 'tool', rule: 'gen_ai.execute_tool', name: 'get_weather', callId: 'toolu_1' },
    ],
    [
      'Anthropic SDK: the tool runner, which names no agent',
      spanOf('anthropic.messages.tool_runner', op('invoke_agent', { 'gen_ai.conversation.id': 'x' })),
      { role: 'agent', rule: 'gen_ai.invoke_agent' },
    ],
    [
      'Gemini CLI: a tool, its id with an underscore',
      spanOf('tool_call', op('tool_call', { 'gen_ai.tool.name': 'read_file', 'gen_ai.tool.call_id': 'r-1' })),
      { role: 'tool', rule: 'gen_ai.tool_call', name: 'read_file', callId: 'r-1' },
    ],
    [
      'Gemini CLI: an agent',
      spanOf('agent_call', op('agent_call', { 'gen_ai.agent.name': 'gemini-cli' })),
      { role: 'agent', rule: 'gen_ai.agent_call', name: 'gemini-cli' },
    ],
    [
      'Gemini CLI: a model call',
      spanOf('llm_call', op('llm_call', { 'gen_ai.request.model': 'gemini-2.5-pro' })),
      { role: 'llm', rule: 'gen_ai.llm_call', name: 'llm_call', modelName: 'gemini-2.5-pro' },
    ],
    [
      'Gemini CLI: a prompt of the user, around it all',
      spanOf('user_prompt', op('user_prompt', { 'gen_ai.agent.name': 'gemini-cli' })),
      { role: 'workflow', rule: 'gen_ai.user_prompt', name: 'gemini-cli' },
    ],
    [
      'OpenTelemetry, OpenAI Agents: the root around several agents (SERVER)',
      spanOf('Agent workflow', op('invoke_agent'), {
        kind: 2,
        scopeName: 'opentelemetry.instrumentation.openai_agents',
      }),
      { role: 'workflow', rule: 'gen_ai.invoke_agent.root' },
    ],
    [
      'an agent that is called from another process (SERVER)',
      spanOf('invoke_agent billing', op('invoke_agent', { 'gen_ai.agent.name': 'billing' }), { kind: 2 }),
      { role: 'agent', rule: 'gen_ai.invoke_agent', name: 'billing' },
    ],
    [
      'OpenLLMetry, CrewAI: the crew',
      spanOf('crewai.workflow', op('invoke_agent', { 'traceloop.span.kind': 'workflow' })),
      { role: 'workflow', rule: 'gen_ai.invoke_agent.workflow' },
    ],
    [
      'OpenLLMetry, CrewAI: an agent',
      spanOf(
        'Researcher.agent',
        op('invoke_agent', { 'traceloop.span.kind': 'agent', 'traceloop.entity.name': 'Researcher' }),
      ),
      { role: 'agent', rule: 'gen_ai.invoke_agent', frameworkName: 'Researcher' },
    ],
    [
      'OpenLLMetry, CrewAI: a task, whose name is what the user asked for',
      spanOf(
        'Find out about X.task',
        op('invoke_agent', { 'traceloop.span.kind': 'task', 'traceloop.entity.name': 'Find out about X' }),
      ),
      { role: 'step', rule: 'gen_ai.invoke_agent.task' },
    ],
    [
      'OpenLLMetry, LangChain for Python: a graph that was given no name',
      spanOf(
        'LangGraph.workflow',
        op('invoke_agent', {
          'traceloop.span.kind': 'workflow',
          'gen_ai.agent.name': 'LangGraph',
          'gen_ai.agent.id': '7c9e6679-7425-40de-944b-e07fc1f90ae7',
        }),
      ),
      { role: 'workflow', rule: 'gen_ai.invoke_agent.workflow' },
    ],
    [
      'OpenLLMetry, LangChain for Python: a tool of such a graph is not stamped with its name',
      spanOf(
        'execute_tool search',
        op('execute_tool', { ...named('search'), 'gen_ai.agent.name': 'LangGraph' }),
      ),
      { role: 'tool', rule: 'gen_ai.execute_tool', name: 'search' },
    ],
    [
      'OpenLLMetry, OpenAI Agents: parents do not show which tool called an agent',
      spanOf('search.tool', op('execute_tool', { ...named('search'), 'traceloop.span.kind': 'tool' }), {
        scopeName: 'opentelemetry.instrumentation.openai_agents',
      }),
      { role: 'tool', rule: 'gen_ai.execute_tool', name: 'search', isFlat: true },
    ],
    ['OpenLLMetry: a handoff', spanOf('handoff', op('handoff')), { role: 'none', rule: 'gen_ai.handoff' }],
    ['a hook', spanOf('hook', op('execute_hook')), { role: 'none', rule: 'gen_ai.execute_hook' }],
    [
      'Mastra: a tool',
      spanOf(
        'execute_tool weather',
        op('execute_tool', { ...named('weather'), 'mastra.span.type': 'tool_call' }),
      ),
      { role: 'tool', rule: 'gen_ai.execute_tool', name: 'weather' },
    ],
    [
      'Mastra: a tool that ran at the provider',
      spanOf(
        'execute_tool web',
        op('execute_tool', { ...named('web'), 'mastra.span.type': 'provider_tool_call' }),
      ),
      { role: 'none', rule: 'mastra.provider_tool_call' },
    ],
    [
      'Mastra: a piece of an answer, marked as a model call by its OpenInference exporter',
      spanOf('planner', { 'mastra.span.type': 'model_chunk', 'openinference.span.kind': 'LLM' }),
      { role: 'none', rule: 'mastra.model_chunk' },
    ],
    [
      'Mastra: an agent',
      spanOf(
        'invoke_agent planner',
        op('invoke_agent', {
          'gen_ai.agent.name': 'planner',
          'gen_ai.agent.id': 'planner',
          'mastra.span.type': 'agent_run',
        }),
      ),
      { role: 'agent', rule: 'gen_ai.invoke_agent', name: 'planner', agentId: 'planner' },
    ],
    [
      'NeMo Relay, its GenAI exporter: an agent',
      spanOf('invoke_agent planner', op('invoke_agent', { 'gen_ai.agent.name': 'planner' }), {
        scopeName: 'opentelemetry',
      }),
      { role: 'agent', rule: 'gen_ai.invoke_agent', name: 'planner' },
    ],
  ]);
});
