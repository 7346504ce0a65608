import { describe } from 'vitest';
import { itRecognises } from './recognising.ts';
import { spanOf } from './span-of.ts';

const op = (id: string, more: Readonly<Record<string, unknown>> = {}) => ({
  'ai.operationId': id,
  'operation.name': `${id} planner`,
  'ai.telemetry.functionId': 'planner',
  ...more,
});

describe('AI SDK 4 to 6, and 7 with legacy telemetry', () => {
  itRecognises([
    [
      'an agent',
      spanOf('ai.generateText', op('ai.generateText')),
      { role: 'agent', rule: 'ai_sdk.generateText', frameworkName: 'planner' },
    ],
    [
      'an agent without a functionId',
      spanOf('ai.streamText', { 'ai.operationId': 'ai.streamText' }),
      { role: 'agent', rule: 'ai_sdk.streamText' },
    ],
    [
      'a tool',
      spanOf('ai.toolCall', op('ai.toolCall', { 'ai.toolCall.name': 'search', 'ai.toolCall.id': 'c1' })),
      { role: 'tool', rule: 'ai_sdk.toolCall', name: 'search', callId: 'c1', stampedAgent: 'planner' },
    ],
    [
      'a tool that OpenInference marked and renamed after the agent',
      spanOf(
        'ai.toolCall planner',
        op('ai.toolCall', {
          'ai.toolCall.name': 'search',
          'tool.name': 'search',
          'openinference.span.kind': 'TOOL',
        }),
      ),
      { role: 'tool', rule: 'ai_sdk.toolCall', name: 'search', stampedAgent: 'planner' },
    ],
    [
      'an operation known only by operation.name',
      spanOf('x', { 'operation.name': 'ai.toolCall planner', 'ai.toolCall.name': 'search' }),
      { role: 'tool', rule: 'ai_sdk.toolCall', name: 'search' },
    ],
    [
      'a model call of version 6',
      spanOf(
        'ai.generateText.doGenerate',
        op('ai.generateText.doGenerate', {
          'ai.model.id': 'gpt-4o',
          'ai.response.model': 'gpt-4o-2024',
          'ai.usage.inputTokens': 100,
          'ai.usage.outputTokens': 20,
          'ai.usage.totalTokens': 120,
          'ai.response.toolCalls':
            '[{"toolCallId":"a","toolName":"search","input":{"toolCallId":"no"}},{"toolCallId":"b","toolName":"fetch"}]',
        }),
      ),
      {
        role: 'llm',
        rule: 'ai_sdk.doGenerate',
        name: 'ai.generateText.doGenerate',
        stampedAgent: 'planner',
        modelName: 'gpt-4o-2024',
        promptTokens: 100,
        outputTokens: 20,
        totalTokens: 120,
        toolCallCount: 2,
      },
    ],
    [
      'a model call of version 4',
      spanOf(
        'x',
        op('ai.streamText.doStream', {
          'ai.model.id': 'm',
          'ai.usage.promptTokens': 8,
          'ai.usage.completionTokens': 2,
        }),
      ),
      {
        role: 'llm',
        rule: 'ai_sdk.doStream',
        name: 'ai.streamText.doStream',
        stampedAgent: 'planner',
        modelName: 'm',
        promptTokens: 8,
        outputTokens: 2,
      },
    ],
    ['an embedding', spanOf('ai.embed', op('ai.embed')), { role: 'none', rule: 'ai_sdk.other' }],
    [
      'operation.name of another product',
      spanOf('search.tool', { 'operation.name': 'search' }),
      { role: 'tool', rule: 'span_name.tool', name: 'search', weak: true },
    ],
  ]);
});
