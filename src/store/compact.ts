import { MultisetIndex } from '../model/multiset-index.ts';
import { compareTimes } from '../model/time.ts';
import { compareUtf8 } from '../model/utf8.ts';
import type { Evidence } from './agent-state.ts';

/** Cohort keys to take out of the plan. */
export interface Compaction {
  /** Contained in another group, so nothing is lost. */
  readonly implied: readonly string[];
  /** Seen in the fewest runs, then longest ago. */
  readonly leastSupported: readonly string[];
}

/** The bounds of one plan; `sizeOf` is the share of one group, with its hints, in the plan's JSON. */
export interface CompactionBounds {
  readonly maxGroups: number;
  readonly maxBytes: number;
  readonly sizeOf: (group: Evidence) => number;
}

/**
 * Chooses which of our groups leave a plan so that it keeps its bounds: first those implied by another group, whoever
 * added it; then, if it is still too large, the least supported.
 * @param ours the groups that spanplan added, by cohort key.
 * @param others the names of all other groups of the plan.
 */
export function compact(
  ours: ReadonlyMap<string, Evidence>,
  others: readonly (readonly string[])[],
  bounds: CompactionBounds,
): Compaction {
  const implied = impliedKeys(ours, others);
  const impliedSet = new Set(implied);
  const kept = [...ours].filter(([key]) => !impliedSet.has(key));
  let bytes = kept.reduce((sum, [, group]) => sum + bounds.sizeOf(group), 0);
  const leastSupported: string[] = [];
  kept.sort(([, a], [, b]) => leastSupportedFirst(a, b));
  for (const [key, group] of kept) {
    if (kept.length - leastSupported.length <= bounds.maxGroups && bytes <= bounds.maxBytes) break;
    bytes -= bounds.sizeOf(group);
    leastSupported.push(key);
  }
  return { implied, leastSupported };
}

/** Larger groups first, so that each is compared only with those that may contain it and are kept themselves. */
function impliedKeys(
  ours: ReadonlyMap<string, Evidence>,
  others: readonly (readonly string[])[],
): readonly string[] {
  const containers = new MultisetIndex();
  for (const names of others) containers.add(names);
  const implied: string[] = [];
  const largestFirst = [...ours].sort(([, a], [, b]) => b.toolNames.length - a.toolNames.length);
  for (const [key, { toolNames }] of largestFirst) {
    if (containers.holds(toolNames)) implied.push(key);
    else containers.add(toolNames);
  }
  return implied;
}

function leastSupportedFirst(a: Evidence, b: Evidence): number {
  return a.runs - b.runs || compareTimes(a.lastSeen, b.lastSeen) || compareUtf8(b.groupId, a.groupId);
}
