import type { Verdict } from '../model/verdict.ts';
import { meaningful } from '../support/meaningful.ts';
import { firstText } from './attributes.ts';
import type { Convention } from './convention.ts';
import { GEN_AI_USAGE_ATTRIBUTES, genAiUsage } from './gen-ai-usage.ts';
import { kindRole } from './kind-role.ts';
import { ownName } from './own-name.ts';
import { verdict } from './verdict.ts';

/** `gen_ai.span.kind`, as Dify writes it for Aliyun's tracing and as Aliyun's own instrumentations do. */
export const dify: Convention = {
  name: 'dify',
  source: 'langgenius/dify 18c95039 (aliyun_trace/entities/semconv.py)',
  attributes: [
    'gen_ai.span.kind',
    'tool.name',
    'gen_ai.tool.name',
    'gen_ai.tool.call.id',
    'gen_ai.agent.name',
    ...GEN_AI_USAGE_ATTRIBUTES,
  ],
  recognise({ name, attributes }) {
    const kind = attributes['gen_ai.span.kind'];
    if (typeof kind !== 'string') return undefined;
    const spanName = meaningful(name);
    switch (kindRole(kind)) {
      case 'tool': {
        const tool = firstText(attributes, 'tool.name', 'gen_ai.tool.name') ?? spanName;
        if (tool === undefined) return STEP;
        return verdict('tool', 'dify.TOOL', {
          name: tool,
          callId: firstText(attributes, 'gen_ai.tool.call.id'),
        });
      }
      case 'llm':
        return verdict('llm', 'dify.LLM', { ...genAiUsage(attributes), name: spanName });
      case 'agent':
        return verdict('agent', 'dify.AGENT', {
          name: ownName(firstText(attributes, 'gen_ai.agent.name')),
          frameworkName: ownName(spanName),
        });
      case 'step':
        return STEP;
      case 'none':
        return OTHER;
      default:
        return undefined;
    }
  },
};

const STEP: Verdict = { role: 'step', rule: 'dify.CHAIN' };
const OTHER: Verdict = { role: 'none', rule: 'dify.other' };
