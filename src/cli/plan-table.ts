import { isContained } from '../model/cohort.ts';
import type { ExecutionPlan } from '../model/execution-plan.ts';
import type { GroupSupport } from '../store/plan-store.ts';
import { cutToWidth, displayWidth } from './display-width.ts';
import type { Output } from './output.ts';
import { printable } from './printable.ts';
import { type Cell, formatTable } from './table.ts';
import { counted, formatMinute, formatNumber, toolsOf } from './wording.ts';

/**
 * A plan for reading: one row for each maximal set of tools that were seen running at the same time, with the number
 * of runs in which exactly this set was, and when it last was. Sets inside of others say nothing new and are counted only.
 */
export function formatPlan(
  agentId: string,
  plan: ExecutionPlan,
  support: readonly GroupSupport[],
  out: Output,
): readonly string[] {
  const { style } = out;
  const sets = maximalSets(
    plan.parallel_groups.map(({ group_id, tool_names }) => ({ group_id, tool_names })),
  );
  const seen = new Map(support.map((group) => [group.groupId, group]));
  const rows = sets
    .map(({ group_id, tool_names }) => ({ names: tool_names, seen: seen.get(group_id) }))
    .sort((a, b) => (b.seen?.runs ?? 0) - (a.seen?.runs ?? 0))
    .map(({ names, seen }): readonly Cell[] => [
      { text: seen === undefined ? '–' : formatNumber(seen.runs) },
      { text: seen === undefined ? '–' : formatMinute(seen.lastSeen), paint: style.dim },
      { text: wrapped(toolsOf(names), out.columns - OTHER_COLUMNS), paint: style.green },
    ]);
  const inside = plan.parallel_groups.length - sets.length;
  return [
    style.bold(printable(agentId)),
    ...formatTable(COLUMNS, rows, style),
    ...(inside > 0 ? [style.dim(`  and ${counted(inside, 'smaller set')} inside of these`)] : []),
  ];
}

const COLUMNS = [
  { title: 'RUNS', align: 'right' },
  { title: 'LAST SEEN' },
  { title: 'TOOLS AT THE SAME TIME' },
] as const;
/** Columns that all but the tools may take. */
const OTHER_COLUMNS = 34;
const MIN_COLUMNS = 24;
const MAX_TOOL_NAME = 60;

interface ToolSet {
  readonly group_id: string;
  readonly tool_names: readonly string[];
}

/** Those that no other contains; of equal ones the first. */
function maximalSets(sets: readonly ToolSet[]): readonly ToolSet[] {
  const maximal: ToolSet[] = [];
  for (const set of [...sets].sort((a, b) => b.tool_names.length - a.tool_names.length)) {
    if (!maximal.some((other) => isContained(set.tool_names, other.tool_names))) maximal.push(set);
  }
  return maximal;
}

/** `a + b + c`, broken before a name that would not fit. */
function wrapped(names: readonly string[], width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const name of names) {
    const text = cutToWidth(name, MAX_TOOL_NAME);
    if (line === '') line = text;
    else if (displayWidth(printable(`${line} + ${text}`)) <= Math.max(width, MIN_COLUMNS))
      line += ` + ${text}`;
    else {
      lines.push(`${line} +`);
      line = text;
    }
  }
  return [...lines, line];
}
