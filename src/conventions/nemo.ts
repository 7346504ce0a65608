import type { Span } from '../model/span.ts';
import type { Verdict } from '../model/verdict.ts';
import { meaningful } from '../support/meaningful.ts';
import { firstText, text } from './attributes.ts';
import type { Convention } from './convention.ts';
import { OPENINFERENCE_USAGE_ATTRIBUTES, openInferenceUsage } from './openinference-usage.ts';
import { verdict } from './verdict.ts';

/**
 * NeMo Relay and its predecessor NeMo Flow: one vocabulary under two prefixes. The exporter for the GenAI conventions
 * writes none of these names and is left to those.
 */
export const nemo: Convention = {
  name: 'nemo',
  source: 'NVIDIA/NeMo-Flow cc3e5f1c (NeMo Relay), nemo-flow 0.2.0',
  attributes: [
    'nemo_relay.scope_type',
    'nemo_flow.scope_type',
    'nemo_relay.tool_call_id',
    'nemo_flow.tool_call_id',
    'nemo_relay.model_name',
    'nemo_flow.model_name',
    'tool.name',
    'tool_call.id',
    'agent.name',
    ...OPENINFERENCE_USAGE_ATTRIBUTES,
  ],
  recognise(span) {
    const type = span.attributes['nemo_relay.scope_type'] ?? span.attributes['nemo_flow.scope_type'];
    if (typeof type !== 'string') return undefined;
    if (type === 'tool') return toolOf(span);
    if (type === 'llm') return llmOf(span);
    if (type === 'agent') {
      const name = text(span.attributes, 'agent.name');
      return verdict('agent', 'nemo.agent', { name, frameworkName: meaningful(span.name) });
    }
    return type === 'function' ? FUNCTION : OTHER;
  },
};

const FUNCTION: Verdict = { role: 'step', rule: 'nemo.function' };
/** A tool whose name is lost is still around what it calls. */
const UNNAMED: Verdict = { role: 'step', rule: 'nemo.tool.unnamed' };
/** Retriever, embedder, guardrail, evaluator, custom and the like. */
const OTHER: Verdict = { role: 'none', rule: 'nemo.other' };

function toolOf(span: Span): Verdict {
  const { attributes } = span;
  const name = text(attributes, 'tool.name') ?? meaningful(span.name);
  if (name === undefined) return UNNAMED;
  return verdict('tool', 'nemo.tool', {
    name,
    callId: firstText(attributes, 'nemo_relay.tool_call_id', 'nemo_flow.tool_call_id', 'tool_call.id'),
  });
}

function llmOf({ name, attributes }: Span): Verdict {
  const usage = openInferenceUsage(attributes);
  return verdict('llm', 'nemo.llm', {
    ...usage,
    name: meaningful(name),
    modelName: firstText(attributes, 'nemo_relay.model_name', 'nemo_flow.model_name') ?? usage.modelName,
  });
}
