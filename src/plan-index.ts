import type { ExecutionPlan, ParallelGroup } from './model/execution-plan.ts';

/**
 * Answers questions about one plan without walking its groups: each tool has a set of bits, one for each group that it
 * is in, and what several tools have in common is where their bits meet.
 */
export class PlanIndex {
  readonly plan: ExecutionPlan;
  readonly #tools = new Map<string, Tool>();
  /** The groups that have all of the current batch. */
  readonly #common: Int32Array;
  #batches = 0;

  constructor(plan: ExecutionPlan) {
    this.plan = plan;
    const words = Math.ceil(plan.parallel_groups.length / BITS);
    this.#common = new Int32Array(words);
    for (const [index, group] of plan.parallel_groups.entries()) {
      for (const [name, count] of countsOf(group.tool_names)) {
        let tool = this.#tools.get(name);
        if (tool === undefined) {
          tool = { groups: [], atLeast: [], batch: 0, count: 0 };
          this.#tools.set(name, tool);
        }
        tool.groups.push(group);
        for (let times = 0; times < count; times++) {
          tool.atLeast[times] ??= new Int32Array(words);
          const bits = tool.atLeast[times];
          const word = Math.trunc(index / BITS);
          if (bits !== undefined) bits[word] = (bits[word] ?? 0) | (1 << (index % BITS));
        }
      }
    }
  }

  groupsFor(toolName: string): readonly ParallelGroup[] {
    return [...(this.#tools.get(toolName)?.groups ?? [])];
  }

  /** Whether the names, as a multiset, lie inside one group. No names lie inside any. */
  canRunTogether(toolNames: readonly string[]): boolean {
    const [first, ...others] = toolNames;
    if (first === undefined) return true;
    if (this.#tools.get(first) === undefined) return false;
    this.#begin(first);
    return others.every((name) => this.#joins(name));
  }

  /** Cuts calls into batches, in their order: a call joins the current batch only if all of it can run together. */
  partition<Call>(calls: readonly Call[], nameOf: (call: Call) => string): readonly (readonly Call[])[] {
    const batches: Call[][] = [];
    let batch: Call[] = [];
    for (const call of calls) {
      const name = nameOf(call);
      if (batch.length > 0 && this.#joins(name)) {
        batch.push(call);
        continue;
      }
      batch = [call];
      batches.push(batch);
      this.#begin(name);
    }
    return batches;
  }

  #begin(name: string): void {
    this.#batches++;
    const tool = this.#tools.get(name);
    const bits = tool?.atLeast[0];
    if (tool === undefined || bits === undefined) {
      this.#common.fill(0);
      return;
    }
    this.#common.set(bits);
    tool.batch = this.#batches;
    tool.count = 1;
  }

  /** Takes the tool into the batch where a group has them all. */
  #joins(name: string): boolean {
    const tool = this.#tools.get(name);
    if (tool === undefined) return false;
    const count = tool.batch === this.#batches ? tool.count : 0;
    const bits = tool.atLeast[count];
    const common = this.#common;
    if (bits === undefined || !meet(common, bits)) return false;
    for (let word = 0; word < common.length; word++) common[word] = (common[word] ?? 0) & (bits[word] ?? 0);
    tool.batch = this.#batches;
    tool.count = count + 1;
    return true;
  }
}

const BITS = 32;

interface Tool {
  readonly groups: ParallelGroup[];
  /** The groups that have it once or more, twice or more, and so on. */
  readonly atLeast: Int32Array[];
  /** The batch that had it last, and how often. */
  batch: number;
  count: number;
}

function meet(a: Int32Array, b: Int32Array): boolean {
  for (let word = 0; word < a.length; word++) if (((a[word] ?? 0) & (b[word] ?? 0)) !== 0) return true;
  return false;
}

function countsOf(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
