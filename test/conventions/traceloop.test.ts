import { describe } from 'vitest';
import { itRecognises } from './recognising.ts';
import { spanOf } from './span-of.ts';

const kind = (name: string, more: Readonly<Record<string, unknown>> = {}) => ({
  'traceloop.span.kind': name,
  ...more,
});

const agentTask = (entity: string, agent: string) => ({
  'traceloop.entity.name': entity,
  'traceloop.association.properties.lc_agent_name': agent,
});

describe('OpenLLMetry decorators and instrumentations', () => {
  itRecognises([
    [
      'a tool, with its agent stamped on it',
      spanOf(
        'search.tool',
        kind('tool', { 'traceloop.entity.name': 'search', 'gen_ai.agent.name': 'planner' }),
      ),
      { role: 'tool', rule: 'traceloop.tool', name: 'search', stampedAgent: 'planner' },
    ],
    [
      'a tool that only its span name names',
      spanOf('search.tool', kind('tool')),
      { role: 'tool', rule: 'traceloop.tool', name: 'search' },
    ],
    [
      'an agent',
      spanOf('planner.agent', kind('agent', { 'traceloop.entity.name': 'planner' })),
      { role: 'agent', rule: 'traceloop.agent', frameworkName: 'planner' },
    ],
    [
      'a workflow is itself, whatever agent is stamped on it',
      spanOf(
        'report.workflow',
        kind('workflow', { 'traceloop.entity.name': 'report', 'gen_ai.agent.name': 'planner' }),
      ),
      { role: 'workflow', rule: 'traceloop.workflow', frameworkName: 'report' },
    ],
    [
      'a task',
      spanOf('load.task', kind('task', { 'traceloop.entity.name': 'load' })),
      { role: 'step', rule: 'traceloop.task' },
    ],
    [
      'LangChain: the task of an agent that stands inside another graph',
      spanOf('planner.task', kind('task', agentTask('planner', 'planner'))),
      { role: 'agent', rule: 'traceloop.task.agent', frameworkName: 'planner' },
    ],
    [
      'LangChain: the same, with an operation',
      spanOf(
        'execute_task planner',
        kind('task', { ...agentTask('planner', 'planner'), 'gen_ai.operation.name': 'execute_task' }),
      ),
      { role: 'agent', rule: 'gen_ai.execute_task.agent', frameworkName: 'planner' },
    ],
    [
      'LangChain: a node of an agent',
      spanOf('tools.task', kind('task', agentTask('tools', 'planner'))),
      { role: 'step', rule: 'traceloop.task' },
    ],
    [
      'LangChain: an agent that was given no name is looked through',
      spanOf('LangGraph.task', kind('task', agentTask('LangGraph', 'LangGraph'))),
      { role: 'step', rule: 'traceloop.task' },
    ],
    [
      'LangChain for JavaScript: a task encloses nothing, so it is no agent',
      spanOf('planner.task', kind('task', agentTask('planner', 'planner')), {
        scopeName: '@traceloop/instrumentation-langchain',
      }),
      { role: 'step', rule: 'traceloop.task', isFlat: true },
    ],
    [
      'LlamaIndex: a task that calls a tool',
      spanOf('call_tool.task', kind('task', { 'tool.name': 'search' })),
      { role: 'tool', rule: 'traceloop.task.tool', name: 'search' },
    ],
    [
      'MCP: a tool on either side',
      spanOf('weather.tool', kind('tool', { 'traceloop.entity.name': 'weather' }), {
        kind: 3,
        scopeName: '@traceloop/instrumentation-mcp',
      }),
      { role: 'tool', rule: 'traceloop.tool', name: 'weather', isMcp: true },
    ],
    [
      "MCP: a client's session",
      spanOf('mcp.client.session', kind('session')),
      { role: 'none', rule: 'traceloop.session' },
    ],
    ['MCP: a server', spanOf('mcp.server', kind('server')), { role: 'none', rule: 'traceloop.server' }],
    ['a handoff', spanOf('a → b.handoff', kind('handoff')), { role: 'none', rule: 'traceloop.handoff' }],
    [
      'OpenAI Agents: the root',
      spanOf('Agent Workflow', kind('workflow', { 'traceloop.entity.name': 'Agent Workflow' }), {
        scopeName: 'opentelemetry.instrumentation.openai_agents',
      }),
      { role: 'workflow', rule: 'traceloop.workflow', isFlat: true },
    ],
    ['a kind nobody knows', spanOf('x', kind('unknown')), { role: 'none', rule: 'none' }],
  ]);
});

describe("OpenLLMetry's LangChain for JavaScript", () => {
  const langchain = { scopeName: '@traceloop/instrumentation-langchain' };
  const tool = (output: string | undefined, entity = 'DynamicStructuredTool') =>
    spanOf(
      `execute_tool ${entity}`,
      kind('task', {
        'gen_ai.operation.name': 'execute_tool',
        'traceloop.entity.name': entity,
        'traceloop.entity.input': '{"args":["{\\"name\\":\\"Bob\\"}"]}',
        'traceloop.entity.output': output,
      }),
      langchain,
    );
  const message = (kwargs: unknown) =>
    JSON.stringify({ lc: 1, type: 'constructor', id: ['langchain_core', 'messages', 'ToolMessage'], kwargs });
  const answer = {
    status: 'success',
    content: '{"name":"Bob","tool_call_id":"x"}',
    tool_call_id: 'call_3',
    name: 'fetch',
  };
  const fetched = {
    role: 'tool',
    rule: 'gen_ai.execute_tool',
    name: 'fetch',
    callId: 'call_3',
    isFlat: true,
  } as const;
  const unnamed = { role: 'step', rule: 'gen_ai.execute_tool.class_name', isFlat: true } as const;

  itRecognises([
    ['the name and call id in the answer', tool(message(answer)), fetched],
    [
      'the answer before it was serialised',
      tool(JSON.stringify({ lc_serializable: true, lc_kwargs: answer, ...answer })),
      fetched,
    ],
    ['the answer wrapped once more', tool(JSON.stringify({ output: JSON.parse(message(answer)) })), fetched],
    [
      'the answer in a command that updates the graph',
      tool(JSON.stringify({ lg_name: 'Command', update: { messages: [JSON.parse(message(answer))] } })),
      fetched,
    ],
    [
      'the answer cut off behind the name',
      tool(message({ ...answer, metadata: 'x' }).slice(0, -10)),
      fetched,
    ],
    [
      "names inside what a tool answered are not the tool's",
      tool(message({ ...answer, artifact: { name: 'Bob', tool_call_id: 'y' } })),
      fetched,
    ],
    ['an answer cut off before the name', tool(message(answer).slice(0, 90)), unnamed],
    ['an answer that is no message', tool('"42"'), unnamed],
    ['an answer with a name of its own', tool('{"name":"Bob"}'), unnamed],
    ['no answer', tool(undefined), unnamed],
    [
      'a class of its own stands for the tool',
      tool('"42"', 'WikipediaQueryRun'),
      { role: 'tool', rule: 'gen_ai.execute_tool', name: 'WikipediaQueryRun', isFlat: true },
    ],
    [
      'chains enclose nothing',
      spanOf(
        'workflow RunnableSequence',
        kind('workflow', { 'gen_ai.operation.name': 'workflow' }),
        langchain,
      ),
      { role: 'step', rule: 'gen_ai.workflow', isFlat: true },
    ],
    [
      'an agent executor that was given no name',
      spanOf(
        'invoke_agent AgentExecutor',
        { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'AgentExecutor' },
        langchain,
      ),
      { role: 'agent', rule: 'gen_ai.invoke_agent', isFlat: true },
    ],
  ]);
});
