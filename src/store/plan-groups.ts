import type { ExecutionPlan, ParallelGroup, ParallelHint } from '../model/execution-plan.ts';
import { MultisetIndex } from '../model/multiset-index.ts';
import { compareUtf8 } from '../model/utf8.ts';
import type { Evidence } from './agent-state.ts';
import { groupIdOf } from './group-id.ts';

/** The groups and hints of a plan while they are being merged; hands them out in the order of the wire format. */
export class PlanGroups {
  readonly #added = new Set<string>();
  readonly #removed = new Set<string>();
  readonly #byId = new Map<string, ParallelGroup>();
  /** Groups of others that have the id of another one. Ours never do; they are kept as they are. */
  readonly #doubles: ParallelGroup[] = [];
  readonly #idByNames = new Map<string, string>();
  readonly #joined = new Set<string>();
  readonly #hints = new Map<string, ParallelHint[]>();
  /** Of all groups but the doubles; made where somebody asks what is in them. */
  #index: MultisetIndex | undefined;

  constructor(plan: ExecutionPlan | undefined) {
    for (const hint of plan?.metadata_template.parallel_hints ?? []) this.#hintsOf(hint.group_id).push(hint);
    for (const group of plan?.parallel_groups ?? []) {
      if (this.#byId.has(group.group_id)) this.#doubles.push(group);
      else this.#put(group);
    }
  }

  get isEmpty(): boolean {
    return this.#byId.size === 0 && this.#doubles.length === 0 && this.#hints.size === 0;
  }

  /** Whether the groups differ from those of the plan; one that came and went again does not count. */
  get changed(): boolean {
    return this.#added.size + this.#removed.size > 0;
  }

  /** Whether a larger group contains all of `names`. */
  implies(names: readonly string[]): boolean {
    if (this.#index === undefined) {
      this.#index = new MultisetIndex();
      for (const group of this.#byId.values()) this.#index.add(group.tool_names);
    }
    return this.#index.holds(names);
  }

  idOf(names: readonly string[]): string | undefined {
    return this.#idByNames.get(JSON.stringify(names));
  }

  /** Adds a group under `formerId` where it had one that is still free. */
  add(names: readonly string[], formerId: string): string {
    const id =
      formerId !== '' && !this.#byId.has(formerId)
        ? formerId
        : groupIdOf(names, {
            hasId: (groupId) => this.#byId.has(groupId),
            hasJoined: (joined) => this.#joined.has(joined),
          });
    this.#put({ group_id: id, tool_names: names });
    const hints = this.#hintsOf(id);
    const hinted = new Set(hints.map((hint) => hint.tool_name));
    for (const name of new Set(names)) {
      if (!hinted.has(name)) hints.push({ tool_name: name, group_id: id, explicit: false });
    }
    if (!this.#removed.delete(id)) this.#added.add(id);
    return id;
  }

  /** Takes a group and its hints back, unless someone declared one of them. */
  remove(group: Evidence): boolean {
    const stored = this.#byId.get(group.groupId);
    if (stored === undefined || JSON.stringify(stored.tool_names) !== JSON.stringify(group.toolNames))
      return false;
    const hints = this.#hints.get(group.groupId) ?? [];
    if (hints.some((hint) => hint.explicit === true)) return false;
    this.#byId.delete(group.groupId);
    this.#index = undefined;
    this.#idByNames.delete(JSON.stringify(group.toolNames));
    this.#joined.delete(group.toolNames.join('|'));
    this.#hints.delete(group.groupId);
    if (!this.#added.delete(group.groupId)) this.#removed.add(group.groupId);
    return true;
  }

  groups(): readonly ParallelGroup[] {
    return [...this.#byId.values(), ...this.#doubles].sort((a, b) => compareUtf8(a.group_id, b.group_id));
  }

  hints(): readonly ParallelHint[] {
    return [...this.#hints.values()]
      .flat()
      .sort((a, b) => compareUtf8(a.tool_name, b.tool_name) || compareUtf8(a.group_id, b.group_id));
  }

  #hintsOf(groupId: string): ParallelHint[] {
    const known = this.#hints.get(groupId);
    if (known !== undefined) return known;
    const hints: ParallelHint[] = [];
    this.#hints.set(groupId, hints);
    return hints;
  }

  #put(group: ParallelGroup): void {
    this.#byId.set(group.group_id, group);
    this.#index?.add(group.tool_names);
    // Other writers may have left the names in another order; it is the same group.
    const names = [...group.tool_names].sort(compareUtf8);
    this.#idByNames.set(JSON.stringify(names), group.group_id);
    this.#joined.add(group.tool_names.join('|'));
  }
}
