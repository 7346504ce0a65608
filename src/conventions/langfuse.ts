import type { Span } from '../model/span.ts';
import type { Verdict } from '../model/verdict.ts';
import { meaningful } from '../support/meaningful.ts';
import { text } from './attributes.ts';
import type { Convention } from './convention.ts';
import { kindRole } from './kind-role.ts';
import { ownName } from './own-name.ts';
import { verdict } from './verdict.ts';

/** Langfuse's own observations, from its SDKs or its LangChain callbacks. Their span name is the name of the work. */
export const langfuse: Convention = {
  name: 'langfuse',
  source: 'npm @langfuse/tracing 5.11.1, PyPI langfuse 5.0.4',
  attributes: [
    'langfuse.observation.type',
    'langfuse.observation.model.name',
    'langfuse.observation.metadata.lc_agent_name',
    'langfuse.observation.metadata.langgraph_node',
  ],
  recognise(span) {
    const type = span.attributes['langfuse.observation.type'];
    if (typeof type !== 'string') return undefined;
    switch (kindRole(type)) {
      case 'tool': {
        const name = meaningful(span.name);
        return name === undefined ? SPAN : verdict('tool', 'langfuse.tool', { name });
      }
      case 'llm':
        return verdict('llm', 'langfuse.generation', {
          name: meaningful(span.name),
          modelName: text(span.attributes, 'langfuse.observation.model.name'),
        });
      case 'agent':
        return agentOf(span);
      case 'step':
        return spanOf(span);
      case 'none':
        return OTHER;
      default:
        return undefined;
    }
  },
};

const OTHER: Verdict = { role: 'none', rule: 'langfuse.other' };
const SPAN: Verdict = { role: 'step', rule: 'langfuse.span' };

/** The callbacks take whatever has `agent` in its name for an agent: a graph's node of that name is one turn of it. */
function agentOf(span: Span): Verdict {
  if (metadataText(span, 'langgraph_node') === span.name) return SPAN;
  const agent = metadataText(span, 'lc_agent_name');
  return verdict('agent', 'langfuse.agent', { frameworkName: ownName(agent) ?? ownName(span.name) });
}

function spanOf(span: Span): Verdict {
  if (metadataText(span, 'lc_agent_name') === span.name) {
    return verdict('agent', 'langfuse.span.agent', { frameworkName: ownName(span.name) });
  }
  if (span.parentSpanId !== undefined) return SPAN;
  return verdict('workflow', 'langfuse.span.root', { frameworkName: ownName(span.name) });
}

/** The SDK for Python writes every value of the metadata as JSON, so texts stand in quotes. */
function metadataText({ attributes }: Span, key: string): string | undefined {
  const value = text(attributes, `langfuse.observation.metadata.${key}`);
  return value !== undefined && QUOTED.test(value) ? meaningful(value.slice(1, -1)) : value;
}

/** A JSON string without escapes; names that hold one are left as they stand. */
const QUOTED = /^"[^"\\]+"$/;
