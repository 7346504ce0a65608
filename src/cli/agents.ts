import { formatTime, laterTime, type Time } from '../model/time.ts';
import type { PlanStore } from '../store/plan-store.ts';
import { howToFill } from './known-agents.ts';
import type { Outputs } from './output.ts';
import { printableJson } from './printable.ts';
import { formatTable } from './table.ts';
import { type StoreChoice, withExistingStore } from './with-store.ts';
import { formatMinute, formatNumber } from './wording.ts';

export interface AgentsOptions extends StoreChoice {
  readonly json?: boolean;
}

/**
 * `spanplan agents`: all agents that the store knows, with how much it knows of each.
 * @throws CliError where the store fails.
 */
export function showAgents(options: AgentsOptions, { out }: Outputs): Promise<void> {
  return withExistingStore(options, async (store) => {
    const agents: AgentSummary[] = [];
    for (const agentId of await store.agents()) agents.push(await summaryOf(store, agentId));
    if (options.json) {
      out.line(printableJson(agents.map(jsonOf)));
      return;
    }
    if (agents.length === 0) {
      out.line(howToFill(options.store));
      return;
    }
    const rows = agents.map(({ agentId, groups, tools, lastSeen }) => [
      { text: agentId, paint: out.style.bold },
      { text: formatNumber(tools) },
      { text: formatNumber(groups) },
      { text: lastSeen === undefined ? '–' : formatMinute(lastSeen), paint: out.style.dim },
    ]);
    for (const line of formatTable(COLUMNS, rows, out.style)) out.line(line);
  });
}

const COLUMNS = [
  { title: 'AGENT', maxWidth: 60 },
  { title: 'TOOLS', align: 'right' },
  { title: 'GROUPS', align: 'right' },
  { title: 'LAST SEEN' },
] as const;

interface AgentSummary {
  readonly agentId: string;
  readonly groups: number;
  /** Distinct tools in its groups. */
  readonly tools: number;
  /** When tools of it were last seen running at the same time. */
  readonly lastSeen: Time | undefined;
}

async function summaryOf(store: PlanStore, agentId: string): Promise<AgentSummary> {
  const groups = (await store.load(agentId))?.plan.parallel_groups ?? [];
  const times = (await store.support(agentId)).map((group) => group.lastSeen);
  return {
    agentId,
    groups: groups.length,
    tools: new Set(groups.flatMap((group) => group.tool_names)).size,
    lastSeen: times.length === 0 ? undefined : times.reduce(laterTime),
  };
}

function jsonOf({ agentId, groups, tools, lastSeen }: AgentSummary): Record<string, unknown> {
  return { agent_id: agentId, tools, groups, ...(lastSeen && { last_seen: formatTime(lastSeen) }) };
}
