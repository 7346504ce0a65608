import { meaningful } from '../support/meaningful.ts';
import { firstText, holdsAny, text } from './attributes.ts';
import type { Convention } from './convention.ts';
import { GEN_AI_USAGE_ATTRIBUTES, genAiUsage } from './gen-ai-usage.ts';
import { OPENINFERENCE_USAGE_ATTRIBUTES, openInferenceUsage } from './openinference-usage.ts';
import { ownName } from './own-name.ts';
import { verdict } from './verdict.ts';

const MODEL_KEYS = ['gen_ai.request.model', 'llm.model_name'];

/** A model's name on a span that nothing else says anything of, as on Google ADK's `call_llm`. The weakest sign. */
export const modelAttribute: Convention = {
  name: 'model_attribute',
  source: 'npm @google/adk 2.0.0; the GenAI and OpenInference conventions',
  attributes: [
    'gen_ai.operation.name',
    'gen_ai.agent.name',
    ...GEN_AI_USAGE_ATTRIBUTES,
    ...OPENINFERENCE_USAGE_ATTRIBUTES,
  ],
  recognise({ name, attributes }) {
    if (!holdsAny(attributes, MODEL_KEYS) || firstText(attributes, ...MODEL_KEYS) === undefined)
      return undefined;
    // an operation that no rule knows may be anything
    if (text(attributes, 'gen_ai.operation.name') !== undefined) return undefined;
    const isGenAi = text(attributes, 'gen_ai.request.model') !== undefined;
    return verdict('llm', 'model_attribute.model', {
      ...(isGenAi ? genAiUsage(attributes) : openInferenceUsage(attributes)),
      name: meaningful(name),
      stampedAgent: ownName(text(attributes, 'gen_ai.agent.name')),
      weak: true,
    });
  },
};
