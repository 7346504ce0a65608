import type { Verdict } from '../model/verdict.ts';
import { meaningful } from '../support/meaningful.ts';
import { firstText } from './attributes.ts';
import type { Convention } from './convention.ts';
import { GEN_AI_USAGE_ATTRIBUTES, genAiUsage } from './gen-ai-usage.ts';
import { kindRole } from './kind-role.ts';
import { verdict } from './verdict.ts';

/** Laminar's own spans, told by `lmnr.span.type`. It has no kind for agents. */
export const laminar: Convention = {
  name: 'laminar',
  source: 'lmnr-ts 21f4850b',
  attributes: [
    'lmnr.span.type',
    'ai.toolCall.name',
    'gen_ai.tool.name',
    'ai.toolCall.id',
    'gen_ai.tool.call.id',
    ...GEN_AI_USAGE_ATTRIBUTES,
  ],
  recognise({ name, attributes }) {
    const type = attributes['lmnr.span.type'];
    if (typeof type !== 'string') return undefined;
    switch (kindRole(type)) {
      case 'tool': {
        const tool = firstText(attributes, 'ai.toolCall.name', 'gen_ai.tool.name') ?? meaningful(name);
        if (tool === undefined) return STEP;
        return verdict('tool', 'laminar.TOOL', {
          name: tool,
          callId: firstText(attributes, 'ai.toolCall.id', 'gen_ai.tool.call.id'),
        });
      }
      case 'llm':
        return verdict('llm', 'laminar.LLM', { ...genAiUsage(attributes), name: meaningful(name) });
      case 'step':
        return STEP;
      case 'none':
        return OTHER;
      default:
        return undefined;
    }
  },
};

const STEP: Verdict = { role: 'step', rule: 'laminar.DEFAULT' };
const OTHER: Verdict = { role: 'none', rule: 'laminar.other' };
