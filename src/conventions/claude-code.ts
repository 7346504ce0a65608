import type { Span } from '../model/span.ts';
import type { Verdict } from '../model/verdict.ts';
import { firstCount, firstText, text } from './attributes.ts';
import type { Convention } from './convention.ts';
import { verdict } from './verdict.ts';

const PREFIX = 'claude_code.';

/**
 * Claude Code and the command-line process under its Agent SDK. A call is three spans: `tool` around
 * `tool.blocked_on_user` (waiting for approval) and `tool.execution` (the work itself).
 */
export const claudeCode: Convention = {
  name: 'claude_code',
  source: 'MLflow translator 07ab5f97 and descriptions of the vendor page (secondary)',
  attributes: [
    'span.type',
    'tool_name',
    'tool_use_id',
    'gen_ai.tool.name',
    'gen_ai.tool.call.id',
    'agent_id',
    'model',
    'gen_ai.request.model',
    'input_tokens',
    'output_tokens',
    'cache_read_tokens',
    'cache_creation_tokens',
  ],
  recognise(span) {
    if (!span.name.startsWith(PREFIX)) return undefined;
    const type = text(span.attributes, 'span.type');
    if (type === undefined) return undefined;
    switch (type.startsWith(PREFIX) ? type.slice(PREFIX.length) : type) {
      case 'interaction':
        return verdict('agent', 'claude_code.interaction', {
          agentId: text(span.attributes, 'agent_id'),
          unverified: true,
        });
      case 'tool':
        return toolOf(span);
      case 'tool.execution':
        return executionOf(span);
      case 'llm_request':
        return llmOf(span);
      default:
        return OTHER;
    }
  },
};

/** Waiting for the user, hooks. */
const OTHER: Verdict = { role: 'none', rule: 'claude_code.other', unverified: true };

function toolOf({ attributes }: Span): Verdict {
  const name = toolName(attributes);
  if (name === undefined) return OTHER;
  return verdict('tool', 'claude_code.tool', { name, callId: callId(attributes), unverified: true });
}

function executionOf({ attributes }: Span): Verdict {
  return verdict('tool', 'claude_code.tool.execution', {
    name: toolName(attributes),
    callId: callId(attributes),
    isExecution: true,
    unverified: true,
  });
}

function toolName(attributes: Span['attributes']): string | undefined {
  return firstText(attributes, 'tool_name', 'gen_ai.tool.name');
}

function callId(attributes: Span['attributes']): string | undefined {
  return firstText(attributes, 'tool_use_id', 'gen_ai.tool.call.id');
}

function llmOf({ attributes }: Span): Verdict {
  return verdict('llm', 'claude_code.llm_request', {
    name: 'llm_request',
    promptTokens: promptTokens(attributes),
    outputTokens: firstCount(attributes, 'output_tokens'),
    modelName: firstText(attributes, 'model', 'gen_ai.request.model'),
    unverified: true,
  });
}

/** Usage is counted as Anthropic's API does: tokens read from or written to the cache are not among the input. */
function promptTokens(attributes: Span['attributes']): number | undefined {
  const input = firstCount(attributes, 'input_tokens');
  if (input === undefined) return undefined;
  const read = firstCount(attributes, 'cache_read_tokens') ?? 0;
  return input + read + (firstCount(attributes, 'cache_creation_tokens') ?? 0);
}
