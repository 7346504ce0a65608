import { MAX_ATTRIBUTE_LENGTH } from '../support/meaningful.ts';
import { firstCount, text } from './attributes.ts';
import { scanJson } from './scan-json.ts';
import type { VerdictDetails } from './verdict.ts';

/** The attributes `genAiUsage` reads, of both generations of the GenAI conventions. */
export const GEN_AI_USAGE_ATTRIBUTES = [
  'gen_ai.usage.input_tokens',
  'gen_ai.usage.prompt_tokens',
  'gen_ai.usage.output_tokens',
  'gen_ai.usage.completion_tokens',
  'gen_ai.usage.total_tokens',
  'llm.usage.total_tokens',
  'gen_ai.response.model',
  'gen_ai.request.model',
  'gen_ai.output.messages',
] as const;

/**
 * Tokens, model and number of tool calls of a GenAI model call. Input tokens include cached ones by definition, so
 * the cache counts beside them are not added.
 */
export function genAiUsage(attributes: Readonly<Record<string, unknown>>): VerdictDetails {
  return {
    promptTokens: firstCount(attributes, 'gen_ai.usage.input_tokens', 'gen_ai.usage.prompt_tokens'),
    outputTokens: firstCount(attributes, 'gen_ai.usage.output_tokens', 'gen_ai.usage.completion_tokens'),
    totalTokens: firstCount(attributes, 'gen_ai.usage.total_tokens', 'llm.usage.total_tokens'),
    modelName: text(attributes, 'gen_ai.response.model') ?? text(attributes, 'gen_ai.request.model'),
    toolCallCount: toolCallParts(text(attributes, 'gen_ai.output.messages')),
  };
}

/** A message part stands at depth 4: messages, message, parts, part. None found says nothing: content may be masked. */
function toolCallParts(messages: string | undefined): number | undefined {
  if (messages === undefined || !messages.includes('"tool_call"')) return undefined;
  // Messages that were cut give no number.
  if (messages.length >= MAX_ATTRIBUTE_LENGTH) return undefined;
  let count = 0;
  scanJson(messages, ({ key, value, depth }) => {
    if (depth === 4 && key === 'type' && value === 'tool_call') count++;
  });
  return count === 0 ? undefined : count;
}
