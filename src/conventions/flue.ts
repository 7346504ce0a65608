import { text } from './attributes.ts';
import type { Convention } from './convention.ts';
import { verdict } from './verdict.ts';

/** Flue: tools and the tasks of named agents. */
export const flue: Convention = {
  name: 'flue',
  source: 'Langfuse mapper 62751446 (secondary)',
  attributes: ['flue.tool.name', 'flue.tool.call_id', 'flue.task.agent'],
  recognise({ attributes }) {
    const name = text(attributes, 'flue.tool.name');
    const agent = text(attributes, 'flue.task.agent');
    if (name === undefined) {
      return agent === undefined
        ? undefined
        : verdict('agent', 'flue.task', { name: agent, unverified: true });
    }
    return verdict('tool', 'flue.tool', {
      name,
      callId: text(attributes, 'flue.tool.call_id'),
      stampedAgent: agent,
      unverified: true,
    });
  },
};
