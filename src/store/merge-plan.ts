import type { ExecutionPlan } from '../model/execution-plan.ts';
import type { AgentState, ContributingRun, Evidence } from './agent-state.ts';
import type { PlanLimits } from './apply-runs.ts';
import { compact } from './compact.ts';
import { PlanGroups } from './plan-groups.ts';

export interface MergedPlan {
  readonly state: AgentState;
  readonly groupsAdded: number;
  readonly groupsRemoved: number;
  readonly groupsCompacted: number;
  readonly groupsEvicted: number;
}

/**
 * Makes the plan follow the evidence: adds the groups that are missing (also those that another writer overwrote),
 * takes back what spanplan added and nothing supports any more, keeps the plan within its bounds, and leaves all else
 * in it alone.
 * @param state the stored plan with the new evidence; entries seen in 0 runs are to go.
 */
export function mergePlan(agentId: string, state: AgentState, limits: PlanLimits): MergedPlan {
  const evidence = new Map(state.evidence);
  const groups = new PlanGroups(state.plan);
  let groupsAdded = 0;
  let groupsRemoved = 0;
  let groupsImplied = 0;
  for (const [key, known] of state.evidence) {
    if (known.runs === 0) {
      evidence.delete(key);
      if (known.added && groups.remove(known)) groupsRemoved++;
    }
  }
  const missing: [string, Evidence][] = [];
  for (const [key, known] of evidence) {
    const groupId = groups.idOf(known.toolNames);
    if (groupId === undefined) missing.push([key, known]);
    else if (groupId !== known.groupId) evidence.set(key, { ...known, groupId, added: false });
  }
  for (const [key, known] of missing) {
    if (state.compacted && groups.implies(known.toolNames)) {
      evidence.delete(key);
      groupsImplied++;
      continue;
    }
    const groupId = groups.add(known.toolNames, known.groupId);
    evidence.set(key, { ...known, groupId, added: true });
    groupsAdded++;
  }

  const compaction = compactWhereNeeded(state, evidence, groups, limits);
  for (const key of [...compaction.implied, ...compaction.leastSupported]) {
    const known = evidence.get(key);
    if (known === undefined) continue;
    groups.remove(known);
    evidence.delete(key);
  }
  const went = new Set([...compaction.implied, ...compaction.leastSupported]);
  groupsAdded -= missing.filter(([key]) => went.has(key)).length;

  const plan = planOf(agentId, state, evidence, groups);
  return {
    state: {
      plan,
      revision: state.revision + (groups.changed ? 1 : 0),
      evidence,
      latest: state.latest,
      compacted: compaction.compacted,
      isMerged: true,
    },
    groupsAdded,
    groupsRemoved,
    groupsCompacted: groupsImplied + compaction.implied.length,
    groupsEvicted: compaction.leastSupported.length,
  };
}

function planOf(
  agentId: string,
  state: AgentState,
  evidence: ReadonlyMap<string, Evidence>,
  groups: PlanGroups,
): ExecutionPlan | undefined {
  const { plan, latest } = state;
  if (plan !== undefined && groups.isEmpty && evidence.size === 0 && holdsNothingElse(plan)) return undefined;
  const template = plan?.metadata_template;
  const runId = latest?.runId ?? template?.run_id;
  if (runId === undefined) return plan;
  if (plan !== undefined && !groups.changed && runId === template?.run_id) return plan;
  return {
    ...plan,
    agent_id: plan?.agent_id ?? agentId,
    parallel_groups: groups.groups(),
    metadata_template: {
      ...template,
      run_id: runId,
      agent_id: template?.agent_id ?? agentId,
      parallel_hints: groups.hints(),
      extensions: template?.extensions ?? {},
    },
  };
}

/** The plan with the run it names as the latest. */
export function planNaming(plan: ExecutionPlan, latest: ContributingRun | undefined): ExecutionPlan {
  const template = plan.metadata_template;
  if (latest === undefined || latest.runId === template.run_id) return plan;
  return { ...plan, metadata_template: { ...template, run_id: latest.runId } };
}

const PLAN_FIELDS = new Set(['agent_id', 'parallel_groups', 'metadata_template']);
const TEMPLATE_FIELDS = new Set(['run_id', 'agent_id', 'parallel_hints', 'extensions']);

/** Whether a plan without groups and hints could be made again from nothing, and so may be deleted. */
function holdsNothingElse(plan: ExecutionPlan): boolean {
  const template = plan.metadata_template;
  return (
    Object.keys(plan).every((field) => PLAN_FIELDS.has(field)) &&
    Object.keys(template).every((field) => TEMPLATE_FIELDS.has(field)) &&
    Object.keys(template.extensions ?? {}).length === 0
  );
}

function compactWhereNeeded(
  state: AgentState,
  evidence: ReadonlyMap<string, Evidence>,
  groups: PlanGroups,
  limits: PlanLimits,
): { implied: readonly string[]; leastSupported: readonly string[]; compacted: boolean } {
  const none = { implied: [], leastSupported: [], compacted: state.compacted };
  if (!groups.changed) return none;
  const ours = new Map([...evidence].filter(([, known]) => known.added));
  const sizeOf = (group: Evidence) => groupBytes(group.groupId, group.toolNames);
  const oursBytes = [...ours.values()].reduce((sum, group) => sum + sizeOf(group), 0);
  const ourIds = new Set([...ours.values()].map((group) => group.groupId));
  const others = groups.groups().filter((group) => !ourIds.has(group.group_id));
  const othersBytes = others.reduce((sum, group) => sum + groupBytes(group.group_id, group.tool_names), 0);
  const maxBytes = Math.max(0, limits.maxPlanBytes - othersBytes - PLAN_FRAME_BYTES);
  if (!state.compacted && ours.size <= limits.maxGroups && oursBytes <= maxBytes) return none;
  const chosen = compact(
    ours,
    others.map((group) => group.tool_names),
    { maxGroups: limits.maxGroups, maxBytes, sizeOf },
  );
  return { ...chosen, compacted: true };
}

/** Room for everything in a plan that is not a group or a hint: field names, ids, agent name. */
const PLAN_FRAME_BYTES = 1_024;

function groupBytes(groupId: string, names: readonly string[]): number {
  let bytes = groupId.length + 36;
  for (const name of names) {
    const nameBytes = Buffer.byteLength(JSON.stringify(name));
    bytes += 2 * nameBytes + groupId.length + 50;
  }
  return bytes;
}
