import type { Span } from '../model/span.ts';
import type { Verdict } from '../model/verdict.ts';
import { meaningful } from '../support/meaningful.ts';
import { firstText, text } from './attributes.ts';
import type { Convention } from './convention.ts';
import { GEN_AI_USAGE_ATTRIBUTES, genAiUsage } from './gen-ai-usage.ts';
import { kindRole } from './kind-role.ts';
import { ownName } from './own-name.ts';
import { verdict } from './verdict.ts';

/**
 * LangSmith's OpenTelemetry mode. It has no kind for agents: an agent is the chain that bears the agent's name. A
 * root's run name may be overwritten by its first child's.
 */
export const langsmith: Convention = {
  name: 'langsmith',
  source: 'langsmith-sdk bc8dd672 (js/src/experimental/otel)',
  attributes: [
    'langsmith.span.kind',
    'langsmith.trace.name',
    'langsmith.metadata.lc_agent_name',
    'ai.toolCall.name',
    'gen_ai.tool.name',
    'gen_ai.tool.call.id',
    'ai.toolCall.id',
    ...GEN_AI_USAGE_ATTRIBUTES,
  ],
  recognise(span) {
    const kind = span.attributes['langsmith.span.kind'];
    if (typeof kind !== 'string') return undefined;
    switch (kindRole(kind)) {
      case 'tool':
        return toolOf(span);
      case 'llm':
        return verdict('llm', 'langsmith.llm', {
          ...genAiUsage(span.attributes),
          name: meaningful(span.name),
        });
      case 'step':
        return chainOf(span);
      case 'none':
        return OTHER;
      default:
        return undefined;
    }
  },
};

const OTHER: Verdict = { role: 'none', rule: 'langsmith.other' };
const CHAIN: Verdict = { role: 'step', rule: 'langsmith.chain' };

function toolOf({ name, attributes }: Span): Verdict {
  const tool =
    firstText(attributes, 'ai.toolCall.name', 'gen_ai.tool.name', 'langsmith.trace.name') ?? meaningful(name);
  if (tool === undefined) return CHAIN;
  return verdict('tool', 'langsmith.tool', {
    name: tool,
    callId: firstText(attributes, 'gen_ai.tool.call.id', 'ai.toolCall.id'),
  });
}

function chainOf(span: Span): Verdict {
  const runName = text(span.attributes, 'langsmith.trace.name');
  const agent = text(span.attributes, 'langsmith.metadata.lc_agent_name');
  if (agent !== undefined && (agent === runName || agent === span.name)) {
    return verdict('agent', 'langsmith.chain.agent', { frameworkName: ownName(agent) });
  }
  if (span.parentSpanId !== undefined) return CHAIN;
  return verdict('workflow', 'langsmith.chain.root', {
    frameworkName: ownName(runName) ?? ownName(span.name),
  });
}
