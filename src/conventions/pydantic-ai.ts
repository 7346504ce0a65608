import type { Verdict } from '../model/verdict.ts';
import { text } from './attributes.ts';
import type { Convention } from './convention.ts';
import { ownName } from './own-name.ts';
import { verdict } from './verdict.ts';

/** pydantic-ai before 1.90, which wrote no operation on its agent spans; later versions follow the GenAI conventions. */
export const pydanticAi: Convention = {
  name: 'pydantic_ai',
  source: 'pydantic-ai 1.0.0 and 1.67.0',
  attributes: ['agent_name', 'gen_ai.agent.name'],
  recognise({ name, scopeName, attributes }): Verdict | undefined {
    if (name !== 'agent run') return undefined;
    const agent = text(attributes, 'agent_name') ?? text(attributes, 'gen_ai.agent.name');
    if (agent === undefined && scopeName !== 'pydantic-ai') return undefined;
    return verdict('agent', 'pydantic_ai.agent_run', { name: ownName(agent) });
  },
};
