/** The bounds that every store keeps, their defaults, and the check that rejects impossible ones. */

/** Bounds that every store keeps. */
export interface StoreLimits {
  /** Most groups that spanplan adds to one plan. Default 512. */
  readonly maxGroups: number;
  /** Most bytes of a plan's JSON that spanplan lets it grow to. Default 1 MiB. */
  readonly maxPlanBytes: number;
  /** Most agents; applying a run of a further one rejects with `agent_limit`. Default 10,000. */
  readonly maxAgents: number;
  /** Newest run records kept for each agent; 0 keeps none. Default 100. */
  readonly maxRunsPerAgent: number;
  /** Seconds that a run record is kept. Default 7 days. */
  readonly runTtlSeconds: number;
  /** Seconds that an applied run is remembered, so that it is not applied again. Default 7 days. */
  readonly appliedRunTtlSeconds: number;
  /** Most applied runs remembered for each agent. Default 10,000. */
  readonly maxAppliedRuns: number;
}

const WEEK_SECONDS = 7 * 24 * 3_600;

const DEFAULT_STORE_LIMITS: StoreLimits = {
  maxGroups: 512,
  maxPlanBytes: 1_048_576,
  maxAgents: 10_000,
  maxRunsPerAgent: 100,
  runTtlSeconds: WEEK_SECONDS,
  appliedRunTtlSeconds: WEEK_SECONDS,
  maxAppliedRuns: 10_000,
};

/**
 * The defaults with `given` over them.
 * @throws RangeError naming the first bound that is not a whole number in its range.
 */
export function resolveLimits(given: Partial<StoreLimits> = {}): StoreLimits {
  const limits = { ...DEFAULT_STORE_LIMITS };
  for (const name of Object.keys(DEFAULT_STORE_LIMITS) as (keyof StoreLimits)[]) {
    const value = given[name];
    if (value === undefined) continue;
    const least = name === 'maxRunsPerAgent' ? 0 : 1;
    if (!Number.isSafeInteger(value) || value < least) {
      throw new RangeError(`${name} must be a whole number of at least ${least}, not ${String(value)}`);
    }
    limits[name] = value;
  }
  return limits;
}
