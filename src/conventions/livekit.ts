import type { Verdict } from '../model/verdict.ts';
import { text } from './attributes.ts';
import type { Convention } from './convention.ts';
import { verdict } from './verdict.ts';

/**
 * LiveKit agents. A session is a whole call with its caller; each `agent_turn` inside is a run. Model calls carry a
 * GenAI operation.
 */
export const livekit: Convention = {
  name: 'livekit',
  source: 'livekit/agents da6af86a (telemetry/trace_types.py)',
  attributes: ['lk.function_tool.name', 'lk.function_tool.id', 'lk.agent_label'],
  recognise({ name, scopeName, attributes }) {
    const tool = text(attributes, 'lk.function_tool.name');
    if (tool !== undefined) {
      return verdict('tool', 'livekit.function_tool', {
        name: tool,
        callId: text(attributes, 'lk.function_tool.id'),
      });
    }
    if (scopeName !== 'livekit-agents') return undefined;
    const label = text(attributes, 'lk.agent_label');
    if (name === 'agent_turn') return verdict('agent', 'livekit.agent_turn', { name: label });
    if (name !== 'agent_session') return undefined;
    // the label mostly stands here, where turns inherit it; a session that names nobody is looked through
    return label === undefined ? SESSION : verdict('agent', 'livekit.agent_session', { name: label });
  },
};

const SESSION: Verdict = { role: 'step', rule: 'livekit.agent_session' };
