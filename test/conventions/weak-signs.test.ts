import { describe } from 'vitest';
import { itRecognises } from './recognising.ts';
import { spanOf } from './span-of.ts';

const weakTool = (name: string) => ({ role: 'tool', rule: 'span_name.tool', name, weak: true }) as const;

describe('a tool attribute without an operation', () => {
  itRecognises([
    [
      'a name',
      spanOf('x', { 'gen_ai.tool.name': 'search' }),
      { role: 'tool', rule: 'tool_attribute.name', name: 'search' },
    ],
    [
      'a call id, the name in the span name',
      spanOf('execute_tool search', { 'gen_ai.tool.call.id': 'c1' }),
      { role: 'tool', rule: 'tool_attribute.name', name: 'search', callId: 'c1' },
    ],
    ['a call id and no name', spanOf('x', { 'gen_ai.tool.call.id': 'c1' }), { role: 'none', rule: 'none' }],
    [
      'definitions of tools are no tool',
      spanOf('x', { 'gen_ai.tool.definitions': '[]' }),
      { role: 'none', rule: 'none' },
    ],
    [
      'a model call that mentions a tool',
      spanOf('chat m', { 'gen_ai.operation.name': 'chat', 'gen_ai.tool.name': 'search' }),
      { role: 'llm', rule: 'gen_ai.chat', name: 'chat' },
    ],
    ['tool.name alone is no kind', spanOf('x', { 'tool.name': 'search' }), { role: 'none', rule: 'none' }],
  ]);
});

describe('span names, which count only beside a stronger sign', () => {
  itRecognises([
    ['execute_tool', spanOf('execute_tool search'), weakTool('search')],
    ['tools/call', spanOf('tools/call search'), weakTool('search')],
    ['Anthropic', spanOf('anthropic.mcp_tool_use search'), weakTool('search')],
    ['Mastra 0.3', spanOf('tool.execute search'), weakTool('search')],
    ['OpenLLMetry', spanOf('search.tool'), weakTool('search')],
    ['logfire', spanOf('Function: {name}', { name: 'search' }), weakTool('search')],
    ['pydantic-ai, which names no tool', spanOf('running tool'), { role: 'none', rule: 'none' }],
    ['a prefix and nothing behind it', spanOf('execute_tool '), { role: 'none', rule: 'none' }],
    ['a prefix in the middle', spanOf('will execute_tool search'), { role: 'none', rule: 'none' }],
  ]);
});

describe('n8n and bare model names', () => {
  itRecognises([
    [
      'n8n: a node',
      spanOf('node.execute', { 'n8n.node.type': 'n8n-nodes-base.httpRequest', 'n8n.node.name': 'HTTP' }),
      { role: 'step', rule: 'n8n.node', isFlat: true, weak: true },
    ],
    [
      'n8n: an agent node',
      spanOf('node.execute', {
        'n8n.node.type': '@n8n/n8n-nodes-langchain.agent',
        'n8n.node.name': 'Planner',
      }),
      { role: 'agent', rule: 'n8n.agent', frameworkName: 'Planner', isFlat: true, weak: true },
    ],
    [
      'n8n: the workflow',
      spanOf('workflow.execute', { 'n8n.workflow.name': 'Report' }),
      { role: 'workflow', rule: 'n8n.workflow', frameworkName: 'Report', isFlat: true, weak: true },
    ],
    [
      'LiteLLM: model attributes on the request',
      spanOf('POST /chat', { 'llm.model_name': 'm', 'llm.token_count.prompt': 3 }),
      {
        role: 'llm',
        rule: 'model_attribute.model',
        name: 'POST /chat',
        modelName: 'm',
        promptTokens: 3,
        weak: true,
      },
    ],
    [
      'an HTTP request',
      spanOf('GET /', { 'http.request.method': 'GET' }, { kind: 3 }),
      { role: 'none', rule: 'none' },
    ],
  ]);
});
