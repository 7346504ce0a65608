import { firstCount, text } from './attributes.ts';
import type { VerdictDetails } from './verdict.ts';

/** The attributes `openInferenceUsage` reads. */
export const OPENINFERENCE_USAGE_ATTRIBUTES = [
  'llm.token_count.prompt',
  'llm.token_count.completion',
  'llm.token_count.total',
  'llm.model_name',
  'llm.output_messages.*.tool_call.function.name',
] as const;

/** Tokens, model and number of tool calls of a model call, as OpenInference and those who borrow from it write them. */
export function openInferenceUsage(attributes: Readonly<Record<string, unknown>>): VerdictDetails {
  return {
    promptTokens: firstCount(attributes, 'llm.token_count.prompt'),
    outputTokens: firstCount(attributes, 'llm.token_count.completion'),
    totalTokens: firstCount(attributes, 'llm.token_count.total'),
    modelName: text(attributes, 'llm.model_name'),
    toolCallCount: requestedTools(attributes),
  };
}

/** Calls may stand in any message of an answer, after messages without one; further than this nobody has seen them. */
const MAX_MESSAGES = 16;
const MAX_CALLS = 128;

/** Lists are flattened into numbered keys, so they are counted by asking for one after the other. */
function requestedTools(attributes: Readonly<Record<string, unknown>>): number | undefined {
  let count = 0;
  for (let message = 0; message < MAX_MESSAGES; message++) {
    // Most messages hold no call, and a key that is there already costs less to ask for.
    if (attributes[FIRST_CALLS[message] ?? ''] === undefined) continue;
    let call = 0;
    while (call < MAX_CALLS && attributes[toolNameKey(message, call)] !== undefined) call++;
    count += call;
  }
  return count === 0 ? undefined : count;
}

function toolNameKey(message: number, call: number): string {
  return `llm.output_messages.${message}.message.tool_calls.${call}.tool_call.function.name`;
}

const FIRST_CALLS = Array.from({ length: MAX_MESSAGES }, (_, message) => toolNameKey(message, 0));
