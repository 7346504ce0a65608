import type { Verdict } from '../model/verdict.ts';
import { boundedName } from '../support/bounded-name.ts';
import { isGeneratedId, meaningful } from '../support/meaningful.ts';
import type { Call } from './calls.ts';
import type { SpanNode } from './span-node.ts';
import type { SpanRecord } from './span-record.ts';

/** What a run's agent is called and which of its calls bear on that. */
export interface AgentIdentityOptions {
  /** Overrides every other identity where it is given. */
  readonly agentId: string | undefined;
}

/**
 * The name by which a call says whose it is. It is heard only where the tree cannot tell: in emitters that hang every
 * span below one root, and for calls whose agent was not seen.
 */
export function stampOf(holder: SpanNode | undefined, call: SpanNode): string | undefined {
  if (holder !== undefined && statedName(holder.record.verdict) !== undefined && holder.role === 'agent') {
    return undefined;
  }
  const { verdict } = call.record;
  const isBlind = holder === undefined || (holder.role !== 'agent' && holder.role !== 'workflow');
  if (!isBlind && !verdict.isFlat) return undefined;
  return verdict.stampedAgent ?? (isBlind ? verdict.frameworkName : undefined);
}

/**
 * Names the agent of a run, by the first of: the user's rule, the name on its span, the framework's own place for it,
 * the name stamped on its calls, its id unless that is a generated one, the next enclosing agent, `service.name`.
 * @param holder the span that holds the run; undefined where it was not seen.
 * @param calls the run's calls, in order; at least one.
 */
export function agentIdOf(
  holder: SpanNode | undefined,
  calls: readonly Call[],
  stamp: string | undefined,
  options: AgentIdentityOptions,
): string {
  return boundedName(
    options.agentId ??
      overrideOf(holder, calls) ??
      holderName(holder) ??
      stamp ??
      enclosingName(holder) ??
      serviceName(holder ?? calls[0]?.node) ??
      'unknown',
  );
}

function overrideOf(holder: SpanNode | undefined, calls: readonly Call[]): string | undefined {
  if (holder?.record.agentOverride !== undefined) return holder.record.agentOverride;
  return calls.find(({ node }) => node.record.agentOverride !== undefined)?.node.record.agentOverride;
}

function holderName(holder: SpanNode | undefined): string | undefined {
  return holder?.role === 'agent' || holder?.role === 'workflow'
    ? statedName(holder.record.verdict)
    : undefined;
}

function statedName({ name, frameworkName }: Verdict): string | undefined {
  return name ?? frameworkName;
}

/** The holder's own id, then the names and ids of the agents around it. */
function enclosingName(holder: SpanNode | undefined): string | undefined {
  const passed: SpanNode[] = [];
  let name: string | undefined;
  for (let at = holder; at !== undefined && name === undefined; at = at.agent) {
    if (at.agentName !== null) {
      name = at.agentName;
      break;
    }
    passed.push(at);
    if (at.role === 'agent') name = agentName(at.record);
  }
  // Thousands of agents may be within one another, and each is asked for.
  for (const node of passed) node.agentName = name;
  return name;
}

function agentName({ agentOverride, verdict }: SpanRecord): string | undefined {
  const { agentId } = verdict;
  const name = agentOverride ?? statedName(verdict);
  if (name !== undefined) return name;
  return agentId !== undefined && !isGeneratedId(agentId) ? agentId : undefined;
}

function serviceName(node: SpanNode | undefined): string | undefined {
  const name = meaningful(node?.record.resource.serviceName ?? '');
  return name?.startsWith('unknown_service') ? undefined : name;
}
