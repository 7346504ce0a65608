import type { Span } from '../model/span.ts';
import type { Verdict } from '../model/verdict.ts';
import { flat } from '../support/flat.ts';
import { MAX_ATTRIBUTE_LENGTH } from '../support/meaningful.ts';
import { firstCount, firstText, text } from './attributes.ts';
import type { Convention } from './convention.ts';
import { scanJson } from './scan-json.ts';
import { verdict } from './verdict.ts';

/**
 * Vercel AI SDK 4 to 6, and 7 with its legacy telemetry. Its agent is one call of `generateText` and the like; the
 * `functionId` that the application gives stands on every span.
 */
export const aiSdk: Convention = {
  name: 'ai_sdk',
  source: 'vercel/ai ed857f50 (npm ai 4.3.19, 5.0.277, 6.0.326, 7.0.173)',
  attributes: [
    'ai.operationId',
    'operation.name',
    'ai.telemetry.functionId',
    'ai.toolCall.name',
    'ai.toolCall.id',
    'ai.response.model',
    'gen_ai.response.model',
    'ai.model.id',
    'gen_ai.request.model',
    'ai.usage.inputTokens',
    'ai.usage.promptTokens',
    'gen_ai.usage.input_tokens',
    'ai.usage.outputTokens',
    'ai.usage.completionTokens',
    'gen_ai.usage.output_tokens',
    'ai.usage.totalTokens',
    'ai.response.toolCalls',
  ],
  recognise(span) {
    const operation = operationOf(span);
    if (operation === undefined) return undefined;
    if (operation === 'ai.toolCall') return toolOf(span);
    if (RUNS.has(operation)) {
      return verdict('agent', `ai_sdk.${operation.slice(3)}`, { frameworkName: functionId(span) });
    }
    if (operation.endsWith('.doGenerate') || operation.endsWith('.doStream')) return llmOf(span, operation);
    return OTHERS.has(operation) ? OTHER : undefined;
  },
};

const RUNS = new Set(['ai.generateText', 'ai.streamText', 'ai.generateObject', 'ai.streamObject']);
const OTHERS = new Set(['ai.embed', 'ai.embedMany', 'ai.embed.doEmbed', 'ai.embedMany.doEmbed', 'ai.rerank']);
const OTHER: Verdict = { role: 'none', rule: 'ai_sdk.other' };

/** `operation.name` is the operation and the functionId; other products use that key for names of their own. */
function operationOf({ attributes }: Span): string | undefined {
  const id = attributes['ai.operationId'];
  if (typeof id === 'string' && id.startsWith('ai.')) return id;
  const name = attributes['operation.name'];
  if (typeof name !== 'string' || !name.startsWith('ai.')) return undefined;
  const space = name.indexOf(' ');
  return space < 0 ? name : flat(name.slice(0, space));
}

function toolOf(span: Span): Verdict | undefined {
  const name = text(span.attributes, 'ai.toolCall.name');
  if (name === undefined) return undefined;
  return verdict('tool', 'ai_sdk.toolCall', {
    name,
    callId: text(span.attributes, 'ai.toolCall.id'),
    stampedAgent: functionId(span),
  });
}

function llmOf(span: Span, operation: string): Verdict {
  const { attributes } = span;
  return verdict('llm', operation.endsWith('.doStream') ? 'ai_sdk.doStream' : 'ai_sdk.doGenerate', {
    name: operation,
    stampedAgent: functionId(span),
    promptTokens: firstCount(
      attributes,
      'ai.usage.inputTokens',
      'ai.usage.promptTokens',
      'gen_ai.usage.input_tokens',
    ),
    outputTokens: firstCount(
      attributes,
      'ai.usage.outputTokens',
      'ai.usage.completionTokens',
      'gen_ai.usage.output_tokens',
    ),
    totalTokens: firstCount(attributes, 'ai.usage.totalTokens'),
    modelName: firstText(
      attributes,
      'ai.response.model',
      'gen_ai.response.model',
      'ai.model.id',
      'gen_ai.request.model',
    ),
    toolCallCount: requestedTools(text(attributes, 'ai.response.toolCalls')),
  });
}

function functionId({ attributes }: Span): string | undefined {
  return text(attributes, 'ai.telemetry.functionId');
}

/** The calls are a list of objects; what stands deeper is their arguments. */
function requestedTools(toolCalls: string | undefined): number | undefined {
  // A list that was cut gives no number.
  if (toolCalls === undefined || toolCalls.length >= MAX_ATTRIBUTE_LENGTH) return undefined;
  let count = 0;
  scanJson(toolCalls, ({ key, depth }) => {
    if (depth === 2 && key === 'toolCallId') count++;
  });
  return count === 0 ? undefined : count;
}
