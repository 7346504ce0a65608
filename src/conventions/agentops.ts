import type { Span } from '../model/span.ts';
import type { Verdict } from '../model/verdict.ts';
import { firstText } from './attributes.ts';
import type { Convention } from './convention.ts';
import { GEN_AI_USAGE_ATTRIBUTES, genAiUsage } from './gen-ai-usage.ts';
import { kindRole } from './kind-role.ts';
import { ownName } from './own-name.ts';
import { spanNameTool } from './span-name-tool.ts';
import { verdict } from './verdict.ts';

/**
 * AgentOps, told by `agentops.span.kind`. `operation.name` is the name of the decorated function. A session stays open
 * until the process ends and holds no run.
 */
export const agentops: Convention = {
  name: 'agentops',
  source: 'AgentOps-AI/agentops a855a92d',
  attributes: [
    'agentops.span.kind',
    'tool.name',
    'operation.name',
    'agent.name',
    'agent.id',
    ...GEN_AI_USAGE_ATTRIBUTES,
  ],
  recognise(span) {
    const kind = span.attributes['agentops.span.kind'];
    if (typeof kind !== 'string') return undefined;
    const { attributes } = span;
    const operation = firstText(attributes, 'operation.name');
    switch (kindRole(kind)) {
      case 'tool':
        return toolOf(span, operation);
      case 'agent':
        return verdict('agent', 'agentops.agent', {
          name: ownName(firstText(attributes, 'agent.name')),
          frameworkName: ownName(operation),
          agentId: firstText(attributes, 'agent.id'),
        });
      case 'workflow':
        return verdict('workflow', 'agentops.workflow', { frameworkName: ownName(operation) });
      case 'llm':
        return verdict('llm', 'agentops.llm', { ...genAiUsage(attributes), name: operation ?? 'llm' });
      case 'step':
        return STEP;
      case 'none':
        return OTHER;
      default:
        return undefined;
    }
  },
};

const STEP: Verdict = { role: 'step', rule: 'agentops.operation' };
const OTHER: Verdict = { role: 'none', rule: 'agentops.other' };

function toolOf({ name, attributes }: Span, operation: string | undefined): Verdict {
  const tool = firstText(attributes, 'tool.name') ?? operation ?? spanNameTool(name);
  return tool === undefined ? STEP : verdict('tool', 'agentops.tool', { name: tool });
}
