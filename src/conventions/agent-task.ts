import type { Span } from '../model/span.ts';
import { text } from './attributes.ts';
import { isFlatEmitter } from './flat-emitter.ts';
import { ownName } from './own-name.ts';

/** The attributes `agentTask` reads besides those that tell a flat emitter. */
export const AGENT_TASK_ATTRIBUTES = [
  'traceloop.entity.name',
  'traceloop.association.properties.lc_agent_name',
] as const;

/**
 * The agent's name where a task of OpenLLMetry's LangChain instrumentation is an agent inside another graph or a tool.
 * To it only the outermost graph is an agent; LangChain itself stamps the agent's name on all that is inside, and an
 * agent's own task bears that name.
 */
export function agentTask(span: Span): string | undefined {
  const agent = ownName(text(span.attributes, 'traceloop.association.properties.lc_agent_name'));
  if (agent === undefined || agent !== text(span.attributes, 'traceloop.entity.name')) return undefined;
  return isFlatEmitter(span) ? undefined : agent;
}
