import type { Span } from '../model/span.ts';
import type { Verdict } from '../model/verdict.ts';
import { meaningful } from '../support/meaningful.ts';
import { firstText } from './attributes.ts';
import type { Convention } from './convention.ts';
import { kindRole } from './kind-role.ts';
import { OPENINFERENCE_USAGE_ATTRIBUTES, openInferenceUsage } from './openinference-usage.ts';
import { ownName } from './own-name.ts';
import { verdict } from './verdict.ts';

const KIND = '.span.kind';
const EVENT = '.event_type';

/**
 * NVIDIA NeMo Agent Toolkit. Its attributes begin with `nat`, or with what `NAT_SPAN_PREFIX` says. `function.name` is
 * the function around the work, so it names no tool.
 */
export const nat: Convention = {
  name: 'nat',
  source: 'NVIDIA/NeMo-Agent-Toolkit 201f3dcc',
  attributes: [`*${KIND}`, `*${EVENT}`, '*.subspan.name', ...OPENINFERENCE_USAGE_ATTRIBUTES],
  recognise(span) {
    const { attributes } = span;
    const prefix = attributes['nat.span.kind'] === undefined ? otherPrefix(attributes) : 'nat';
    if (prefix === undefined) return undefined;
    const name = firstText(attributes, `${prefix}.subspan.name`) ?? meaningful(span.name);
    switch (kindRole(attributes[prefix + KIND])) {
      case 'tool':
        return name === undefined ? STEP : verdict('tool', 'nat.TOOL', { name });
      case 'llm':
        return verdict('llm', 'nat.LLM', { ...openInferenceUsage(attributes), name });
      case 'agent':
        return verdict('agent', 'nat.AGENT', { frameworkName: ownName(name) });
      case 'workflow':
        return verdict('workflow', 'nat.WORKFLOW', { frameworkName: ownName(name) });
      case 'step':
        return STEP;
      case 'none':
        return OTHER;
      default:
        return undefined;
    }
  },
};

const STEP: Verdict = { role: 'step', rule: 'nat.FUNCTION' };
const OTHER: Verdict = { role: 'none', rule: 'nat.other' };

/** A prefix of the user's own: whatever stands before an event type such as `TOOL_START`. */
function otherPrefix(attributes: Span['attributes']): string | undefined {
  for (const key in attributes) {
    if (!key.endsWith(EVENT)) continue;
    const event = attributes[key];
    if (typeof event !== 'string' || !(event.endsWith('_START') || event.endsWith('_END'))) continue;
    const prefix = key.slice(0, -EVENT.length);
    if (attributes[prefix + KIND] !== undefined) return prefix;
  }
  return undefined;
}
