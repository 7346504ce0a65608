import { text } from './attributes.ts';
import type { Convention } from './convention.ts';
import { verdict } from './verdict.ts';

/**
 * Codex CLI. The span of a tool is made before the tool waits for its turn, so tools that run one after another can
 * look as if they overlapped. The attribute names are common words: they count in Codex's own process only.
 */
export const codex: Convention = {
  name: 'codex',
  source: 'openai/codex 04de4bbe (core/src/tools/parallel.rs)',
  attributes: ['tool_name', 'call_id'],
  recognise({ attributes, resource, scopeName }) {
    const callId = text(attributes, 'call_id');
    if (callId === undefined) return undefined;
    const name = text(attributes, 'tool_name');
    const isCodex = resource.serviceName?.startsWith('codex') || scopeName.startsWith('codex');
    return name !== undefined && isCodex ? verdict('tool', 'codex.tool', { name, callId }) : undefined;
  },
};
