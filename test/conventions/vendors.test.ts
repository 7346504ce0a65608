import { describe } from 'vitest';
import { itRecognises } from './recognising.ts';
import { spanOf } from './span-of.ts';

describe.each(['nemo_relay', 'nemo_flow'])('NeMo: %s', (prefix) => {
  const scope = (type: string, more: Readonly<Record<string, unknown>> = {}) => ({
    [`${prefix}.scope_type`]: type,
    ...more,
  });
  itRecognises([
    [
      'an agent is named by its span, whole',
      spanOf('invoke_agent planner', scope('agent')),
      { role: 'agent', rule: 'nemo.agent', frameworkName: 'invoke_agent planner' },
    ],
    [
      'a tool is named by its span',
      spanOf('search', scope('tool', { [`${prefix}.tool_call_id`]: 'c1' })),
      { role: 'tool', rule: 'nemo.tool', name: 'search', callId: 'c1' },
    ],
    ['a tool whose name is lost', spanOf('', scope('tool')), { role: 'step', rule: 'nemo.tool.unnamed' }],
    [
      'a tool of the OpenInference exporter',
      spanOf(
        'search',
        scope('tool', { 'openinference.span.kind': 'TOOL', 'tool.name': 'search', 'tool_call.id': 'c1' }),
      ),
      { role: 'tool', rule: 'nemo.tool', name: 'search', callId: 'c1' },
    ],
    [
      'a model call',
      spanOf('openai', scope('llm', { [`${prefix}.model_name`]: 'm', 'llm.token_count.prompt': '100' })),
      { role: 'llm', rule: 'nemo.llm', name: 'openai', modelName: 'm', promptTokens: 100 },
    ],
    ['a function', spanOf('load', scope('function')), { role: 'step', rule: 'nemo.function' }],
    ['a guardrail', spanOf('check', scope('guardrail')), { role: 'none', rule: 'nemo.other' }],
  ]);
});

describe('Claude Code', () => {
  const of = (name: string, more: Readonly<Record<string, unknown>> = {}, type = name) =>
    spanOf(`claude_code.${name}`, { 'span.type': type, ...more });
  itRecognises([
    [
      'a prompt of the user',
      of('interaction'),
      { role: 'agent', rule: 'claude_code.interaction', unverified: true },
    ],
    [
      'a tool',
      of('tool', { tool_name: 'Bash', tool_use_id: 'toolu_1' }),
      { role: 'tool', rule: 'claude_code.tool', name: 'Bash', callId: 'toolu_1', unverified: true },
    ],
    [
      'a type with its prefix',
      of('tool', { tool_name: 'Bash' }, 'claude_code.tool'),
      { role: 'tool', rule: 'claude_code.tool', name: 'Bash', unverified: true },
    ],
    [
      'the work of a tool, without the wait for approval',
      of('tool.execution', { success: true }),
      { role: 'tool', rule: 'claude_code.tool.execution', isExecution: true, unverified: true },
    ],
    [
      'the wait for approval',
      of('tool.blocked_on_user', { tool_name: 'Bash' }),
      { role: 'none', rule: 'claude_code.other', unverified: true },
    ],
    [
      'a model call, whose input leaves out the cache',
      of('llm_request', {
        model: 'claude',
        input_tokens: 10,
        output_tokens: 5,
        cache_read_tokens: 200,
        cache_creation_tokens: 30,
      }),
      {
        role: 'llm',
        rule: 'claude_code.llm_request',
        name: 'llm_request',
        modelName: 'claude',
        promptTokens: 240,
        outputTokens: 5,
        unverified: true,
      },
    ],
    [
      'span.type alone is not Claude Code',
      spanOf('tool.Bash', { 'span.type': 'tool', tool_name: 'Bash' }),
      { role: 'none', rule: 'none' },
    ],
  ]);
});

describe('Genkit', () => {
  const action = (subtype: string, name: string) =>
    spanOf(name, { 'genkit:type': 'action', 'genkit:metadata:subtype': subtype, 'genkit:name': name });
  itRecognises([
    [
      'a flow is named by its span',
      spanOf('planner', { 'genkit:type': 'action', 'genkit:metadata:subtype': 'flow' }),
      { role: 'workflow', rule: 'genkit.flow', frameworkName: 'planner' },
    ],
    ['a tool', action('tool', 'search'), { role: 'tool', rule: 'genkit.tool', name: 'search' }],
    [
      'a tool that is still open',
      spanOf('search', { 'genkit:type': 'action', 'genkit:metadata:subtype': 'tool' }),
      { role: 'tool', rule: 'genkit.tool', name: 'search' },
    ],
    [
      'a tool of the second generation',
      action('tool.v2', 'search'),
      { role: 'tool', rule: 'genkit.tool.v2', name: 'search', unverified: true },
    ],
    ['a tool whose name is lost', action('tool', ''), { role: 'step', rule: 'genkit.tool.unnamed' }],
    [
      'a model call',
      action('model', 'googleai/gemini'),
      { role: 'llm', rule: 'genkit.model', name: 'model', modelName: 'googleai/gemini' },
    ],
    [
      'an agent of the beta API is named by its span',
      action('agent', 'planner'),
      { role: 'agent', rule: 'genkit.agent', frameworkName: 'planner' },
    ],
    [
      'a prompt that is run is an agent',
      spanOf('planner', { 'genkit:type': 'dotprompt' }),
      { role: 'agent', rule: 'genkit.dotprompt', frameworkName: 'planner' },
    ],
    [
      'a prompt that is rendered is a step of one',
      spanOf('render', { 'genkit:type': 'promptTemplate' }),
      { role: 'step', rule: 'genkit.util' },
    ],
    ['a turn', spanOf('generate', { 'genkit:type': 'util' }), { role: 'step', rule: 'genkit.util' }],
    [
      'a turn of an agent',
      spanOf('runTurn-1', { 'genkit:type': 'flowStep' }),
      { role: 'step', rule: 'genkit.util' },
    ],
    ['a retriever', action('retriever', 'docs'), { role: 'none', rule: 'genkit.other' }],
  ]);
});

describe('MCP without an operation', () => {
  itRecognises([
    [
      'semantic conventions',
      spanOf('tools/call weather', { 'mcp.method.name': 'tools/call', 'jsonrpc.request.id': 3 }, { kind: 2 }),
      { role: 'tool', rule: 'mcp.tools_call', name: 'weather', isMcp: true },
    ],
    [
      'OpenLIT',
      spanOf('mcp call', { 'mcp.method': 'tools/call', 'mcp.tool.name': 'weather' }),
      { role: 'tool', rule: 'mcp.tools_call', name: 'weather', isMcp: true },
    ],
    [
      'logfire, client side',
      spanOf('MCP request: tools/call weather', { 'rpc.system': 'jsonrpc', 'rpc.method': 'tools/call' }),
      { role: 'tool', rule: 'mcp.rpc_tools_call', name: 'weather', isMcp: true },
    ],
    [
      'logfire, server side, which does not name the tool',
      spanOf('MCP server handle request: tools/call', {
        'rpc.system': 'jsonrpc',
        'rpc.method': 'tools/call',
      }),
      { role: 'step', rule: 'mcp.unnamed' },
    ],
    [
      'a listing',
      spanOf('tools/list', { 'mcp.method.name': 'tools/list' }),
      { role: 'none', rule: 'mcp.other' },
    ],
    [
      'another RPC',
      spanOf('GET', { 'rpc.system': 'grpc', 'rpc.method': 'tools/call' }),
      { role: 'none', rule: 'none' },
    ],
  ]);
});

describe('LiveKit', () => {
  const livekit = { scopeName: 'livekit-agents' };
  itRecognises([
    [
      'a tool',
      spanOf('function_tool', { 'lk.function_tool.name': 'weather', 'lk.function_tool.id': 'c1' }, livekit),
      { role: 'tool', rule: 'livekit.function_tool', name: 'weather', callId: 'c1' },
    ],
    ['a turn is a run', spanOf('agent_turn', {}, livekit), { role: 'agent', rule: 'livekit.agent_turn' }],
    [
      'the session names the agent of its turns',
      spanOf('agent_session', { 'lk.agent_label': 'concierge' }, livekit),
      { role: 'agent', rule: 'livekit.agent_session', name: 'concierge' },
    ],
    [
      'a session that names nobody',
      spanOf('agent_session', {}, livekit),
      { role: 'step', rule: 'livekit.agent_session' },
    ],
    ['the same name elsewhere', spanOf('agent_turn'), { role: 'none', rule: 'none' }],
  ]);
});

describe('Haystack', () => {
  itRecognises([
    [
      'a tool',
      spanOf('haystack.agent.step.tool', { 'haystack.tool.name': 'weather' }),
      { role: 'tool', rule: 'haystack.tool', name: 'weather' },
    ],
    ['an agent', spanOf('haystack.agent.run'), { role: 'agent', rule: 'haystack.agent' }],
    ['a turn', spanOf('haystack.agent.step'), { role: 'step', rule: 'haystack.step' }],
    [
      'a model call',
      spanOf('haystack.agent.step.llm'),
      { role: 'llm', rule: 'haystack.llm', name: 'haystack.agent.step.llm' },
    ],
    ['a pipeline', spanOf('haystack.pipeline.run'), { role: 'workflow', rule: 'haystack.pipeline' }],
  ]);
});

describe('VoltAgent, Flue, Codex', () => {
  const volt = {
    'voltagent.label': 'weather',
    'entity.type': 'agent',
    'entity.name': 'planner',
    'entity.id': 'p1',
  };
  const codex = { tool_name: 'shell', call_id: 'c1' };
  itRecognises([
    [
      'VoltAgent: a tool, though its entity is the agent',
      spanOf('tool.execution:weather', { ...volt, 'span.type': 'tool' }),
      { role: 'tool', rule: 'voltagent.tool', name: 'weather', unverified: true },
    ],
    [
      'VoltAgent: the agent',
      spanOf('planner', volt),
      { role: 'agent', rule: 'voltagent.agent', name: 'planner', agentId: 'p1', unverified: true },
    ],
    [
      'VoltAgent: a sub-agent, which bears the name of the agent that called it too',
      spanOf('subagent:helper', { ...volt, 'subagent.name': 'helper', 'subagent.id': 'h1' }),
      { role: 'agent', rule: 'voltagent.agent', name: 'helper', agentId: 'h1', unverified: true },
    ],
    [
      'VoltAgent: memory',
      spanOf('memory', { ...volt, 'span.type': 'memory' }),
      { role: 'none', rule: 'voltagent.other', unverified: true },
    ],
    [
      'the same key of nobody',
      spanOf('x', { 'span.type': 'tool', 'entity.type': 'agent' }),
      { role: 'none', rule: 'none' },
    ],
    [
      'Flue: a tool',
      spanOf('x', { 'flue.tool.name': 'weather', 'flue.tool.call_id': 'c1', 'flue.task.agent': 'planner' }),
      {
        role: 'tool',
        rule: 'flue.tool',
        name: 'weather',
        callId: 'c1',
        stampedAgent: 'planner',
        unverified: true,
      },
    ],
    [
      'Flue: a task',
      spanOf('x', { 'flue.task.agent': 'planner' }),
      { role: 'agent', rule: 'flue.task', name: 'planner', unverified: true },
    ],
    [
      'Codex: a tool',
      spanOf('shell', codex, { serviceName: 'codex_cli_rs' }),
      { role: 'tool', rule: 'codex.tool', name: 'shell', callId: 'c1' },
    ],
    [
      'the same keys elsewhere',
      spanOf('shell', codex, { serviceName: 'shop' }),
      { role: 'none', rule: 'none' },
    ],
  ]);
});

describe('older pydantic-ai, Google ADK and logfire', () => {
  const logfire = { scopeName: 'logfire.openai_agents' };
  itRecognises([
    [
      'pydantic-ai 1.67: an agent',
      spanOf('agent run', { agent_name: 'planner' }, { scopeName: 'pydantic-ai' }),
      { role: 'agent', rule: 'pydantic_ai.agent_run', name: 'planner' },
    ],
    [
      'pydantic-ai 1.67: a tool',
      spanOf(
        'running tool',
        { 'gen_ai.tool.name': 'search', 'gen_ai.tool.call.id': 'c1' },
        { scopeName: 'pydantic-ai' },
      ),
      { role: 'tool', rule: 'tool_attribute.name', name: 'search', callId: 'c1' },
    ],
    [
      'ADK of mid-2025: an agent',
      spanOf('agent_run [planner]', {}, { scopeName: 'gcp.vertex.agent' }),
      { role: 'agent', rule: 'google_adk.agent_run', frameworkName: 'planner' },
    ],
    [
      'logfire, OpenAI Agents: an agent',
      spanOf('Agent run: {name!r}', { name: 'planner' }, logfire),
      { role: 'agent', rule: 'logfire.agent_run', name: 'planner' },
    ],
    [
      'logfire, OpenAI Agents: the trace, by its default name',
      spanOf('OpenAI Agents trace: {name}', { name: 'Agent workflow' }, logfire),
      { role: 'workflow', rule: 'logfire.trace' },
    ],
    [
      'logfire, OpenAI Agents: a turn',
      spanOf('Turn {turn} for agent {agent}', {}, logfire),
      { role: 'step', rule: 'logfire.step' },
    ],
    [
      'logfire, OpenAI Agents: a tool',
      spanOf('Function: {name}', { name: 'search' }, logfire),
      { role: 'tool', rule: 'span_name.tool', name: 'search', weak: true },
    ],
  ]);
});
