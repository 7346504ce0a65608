/**
 * An agent's execution plan, exactly as it stands in the store. Names and JSON are those of nemo-flow-adaptive, so
 * that a plan written by either runtime is read by both. Unknown fields are kept as they are.
 */
export interface ExecutionPlan {
  readonly agent_id: string;
  /** Sorted by `group_id`. */
  readonly parallel_groups: readonly ParallelGroup[];
  readonly metadata_template: MetadataTemplate;
  readonly [unknownField: string]: unknown;
}

/** A cohort kept in a plan: tools that were seen running at one instant. */
export interface ParallelGroup {
  readonly group_id: string;
  /** A sorted multiset: a name that stands twice was running twice. */
  readonly tool_names: readonly string[];
  readonly [unknownField: string]: unknown;
}

export interface MetadataTemplate {
  /** The contributing run that ended last. */
  readonly run_id: string;
  readonly agent_id: string;
  /** One for each distinct name and group, sorted by name, then group id. */
  readonly parallel_hints: readonly ParallelHint[];
  readonly extensions: Readonly<Record<string, unknown>>;
  readonly [unknownField: string]: unknown;
}

/** A tool's membership in a group. */
export interface ParallelHint {
  readonly tool_name: string;
  readonly group_id: string;
  /** True where a person or another runtime declared it; spanplan never removes such a hint. */
  readonly explicit: boolean;
  readonly [unknownField: string]: unknown;
}
