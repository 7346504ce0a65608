import type { Verdict } from '../model/verdict.ts';
import { text } from './attributes.ts';
import type { Convention } from './convention.ts';
import { ownName } from './own-name.ts';
import { verdict } from './verdict.ts';

/**
 * logfire's instrumentation of OpenAI Agents. Its span names are message templates, with braces where the names would
 * be; the name itself is the attribute `name`. Tools are told by their template alone, which is `span-name.ts`'s.
 */
export const logfire: Convention = {
  name: 'logfire',
  source: 'pydantic/logfire e484a6b5 (integrations/openai_agents.py)',
  attributes: ['name'],
  recognise({ name, scopeName, attributes }): Verdict | undefined {
    if (!scopeName.startsWith('logfire') || !scopeName.endsWith('openai_agents')) return undefined;
    if (name === 'Agent run: {name!r}') {
      return verdict('agent', 'logfire.agent_run', { name: ownName(text(attributes, 'name')) });
    }
    if (name === 'OpenAI Agents trace: {name}') {
      return verdict('workflow', 'logfire.trace', { frameworkName: ownName(text(attributes, 'name')) });
    }
    return name.startsWith('Task: ') || name.startsWith('Turn') ? STEP : undefined;
  },
};

const STEP: Verdict = { role: 'step', rule: 'logfire.step' };
