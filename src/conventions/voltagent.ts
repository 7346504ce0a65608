import type { Span } from '../model/span.ts';
import type { Verdict } from '../model/verdict.ts';
import { meaningful } from '../support/meaningful.ts';
import { firstText, text } from './attributes.ts';
import type { Convention } from './convention.ts';
import { verdict } from './verdict.ts';

/**
 * VoltAgent. `span.type` says what a span is, a key that Claude Code uses too, so something of VoltAgent's own must
 * stand beside it. All spans inside an agent inherit what `entity` says of the outermost one; sub-agents say theirs apart.
 */
export const voltagent: Convention = {
  name: 'voltagent',
  source: 'MLflow and Langfuse mappers (secondary)',
  attributes: [
    'span.type',
    'entity.type',
    'entity.name',
    'entity.id',
    'subagent.name',
    'subagent.id',
    'tool.name',
    'tool.call.id',
    'voltagent.*',
  ],
  recognise(span) {
    const { attributes } = span;
    const type = attributes['span.type'];
    const entity = attributes['entity.type'];
    if (typeof type !== 'string' && typeof entity !== 'string') return undefined;
    if (!isVoltagent(span)) return undefined;
    switch (type ?? entity) {
      case 'tool':
        return toolOf(span);
      case 'llm':
        return verdict('llm', 'voltagent.llm', { name: meaningful(span.name), unverified: true });
      case 'agent':
        return verdict('agent', 'voltagent.agent', {
          name: firstText(attributes, 'subagent.name', 'entity.name'),
          agentId: firstText(attributes, 'subagent.id', 'entity.id'),
          unverified: true,
        });
      default:
        return OTHER;
    }
  },
};

const OTHER: Verdict = { role: 'none', rule: 'voltagent.other', unverified: true };

function isVoltagent({ scopeName, attributes }: Span): boolean {
  if (scopeName.includes('voltagent')) return true;
  for (const key in attributes) if (key.startsWith('voltagent.')) return true;
  return false;
}

function toolOf({ name, attributes }: Span): Verdict {
  const tool = firstText(attributes, 'tool.name', 'voltagent.label') ?? meaningful(name);
  if (tool === undefined) return OTHER;
  return verdict('tool', 'voltagent.tool', {
    name: tool,
    callId: text(attributes, 'tool.call.id'),
    unverified: true,
  });
}
