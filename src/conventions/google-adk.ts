import { meaningful } from '../support/meaningful.ts';
import type { Convention } from './convention.ts';
import { verdict } from './verdict.ts';

const PREFIX = 'agent_run [';

/** Google ADK for Python as of mid-2025, which named the agent in the span name only; later it follows GenAI. */
export const googleAdk: Convention = {
  name: 'google_adk',
  source: 'google/adk-python 692af950 (telemetry/tracing.py)',
  attributes: [],
  recognise({ name, scopeName }) {
    if (scopeName !== 'gcp.vertex.agent' || !name.startsWith(PREFIX) || !name.endsWith(']')) return undefined;
    return verdict('agent', 'google_adk.agent_run', {
      frameworkName: meaningful(name.slice(PREFIX.length, -1)),
    });
  },
};
