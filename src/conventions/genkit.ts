import type { Span } from '../model/span.ts';
import type { Verdict } from '../model/verdict.ts';
import { meaningful } from '../support/meaningful.ts';
import { text } from './attributes.ts';
import type { Convention } from './convention.ts';
import { verdict } from './verdict.ts';

/**
 * Genkit. Everything is an action with a subtype, but for prompts that are run and for `util` spans (`generate`, the
 * turns of an agent) that wrap actions; a later turn's `generate` stands inside the earlier one's. The name is set at
 * the end and equals the span's.
 */
export const genkit: Convention = {
  name: 'genkit',
  source: 'genkit 77656d5e (npm genkit 1.42.0)',
  attributes: ['genkit:type', 'genkit:metadata:subtype', 'genkit:name'],
  recognise(span) {
    const type = span.attributes['genkit:type'];
    if (typeof type !== 'string') return undefined;
    if (type === 'flow') return workflowOf(span);
    // a prompt that is run brings its model and tools along: that is how agents are written without the beta API
    if (type === 'dotprompt') return agentOf(span, 'genkit.dotprompt');
    if (type !== 'action') return UTIL;
    switch (span.attributes['genkit:metadata:subtype']) {
      case 'tool':
        return toolOf(span, 'genkit.tool');
      case 'tool.v2':
        return toolOf(span, 'genkit.tool.v2');
      case 'flow':
        return workflowOf(span);
      case 'agent':
        return agentOf(span, 'genkit.agent');
      case 'model':
      case 'background-model':
        return verdict('llm', 'genkit.model', { name: 'model', modelName: nameOf(span) });
      default:
        return OTHER;
    }
  },
};

const UTIL: Verdict = { role: 'step', rule: 'genkit.util' };
/** Retrievers, embedders, prompts that are only looked up, and the like. */
const OTHER: Verdict = { role: 'none', rule: 'genkit.other' };

function toolOf(span: Span, rule: string): Verdict {
  const name = nameOf(span);
  // a tool whose name is lost is still around what it calls
  if (name === undefined) return verdict('step', `${rule}.unnamed`);
  return verdict('tool', rule, {
    name,
    // the second generation of tools is known from a consumer's mapping only
    unverified: rule === 'genkit.tool' ? undefined : true,
  });
}

function workflowOf(span: Span): Verdict {
  return verdict('workflow', 'genkit.flow', { frameworkName: nameOf(span) });
}

function agentOf(span: Span, rule: string): Verdict {
  return verdict('agent', rule, { frameworkName: nameOf(span) });
}

function nameOf(span: Span): string | undefined {
  return text(span.attributes, 'genkit:name') ?? meaningful(span.name);
}
