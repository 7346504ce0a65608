import type { Verdict } from '../model/verdict.ts';
import { meaningful } from '../support/meaningful.ts';
import { text } from './attributes.ts';
import type { Convention } from './convention.ts';
import { verdict } from './verdict.ts';

const PREFIX = 'haystack.';

/** Haystack, told by its span names. An agent has no name but that of the pipeline's component it is. */
export const haystack: Convention = {
  name: 'haystack',
  source: 'deepset-ai/haystack c7cb46c0',
  attributes: ['haystack.tool.name', 'haystack.component.name'],
  recognise({ name, attributes }) {
    const tool = text(attributes, 'haystack.tool.name');
    if (tool !== undefined) return verdict('tool', 'haystack.tool', { name: tool });
    if (!name.startsWith(PREFIX)) return undefined;
    switch (name) {
      case 'haystack.agent.run':
        return verdict('agent', 'haystack.agent', {
          frameworkName: text(attributes, 'haystack.component.name'),
        });
      case 'haystack.agent.step.llm':
        return verdict('llm', 'haystack.llm', { name: meaningful(name) });
      case 'haystack.pipeline.run':
      case 'haystack.async_pipeline.run':
        return PIPELINE;
      default:
        return STEP;
    }
  },
};

const PIPELINE: Verdict = { role: 'workflow', rule: 'haystack.pipeline' };
/** A turn of the agent, a component, and a tool span that does not name its tool. */
const STEP: Verdict = { role: 'step', rule: 'haystack.step' };
