/**
 * Measures spanplan beside a rival, in turns, on one machine in the same minute, and tells the ratio of their costs.
 * Cost is CPU time (never wall-clock time) for the same work, what was put off until later included; where a benchmark
 * says so, another measure such as bytes of heap.
 */
export interface Benchmark {
  readonly name: string;
  readonly rival: string;
  /** The least ratio the project holds itself to. */
  readonly atLeast: number;
  /** Where the project would like to be. */
  readonly stretch?: number;
  /** How many times each side is measured. Default 15. */
  readonly rounds?: number;
  /** Turns of each side before the first that counts. Default 3. */
  readonly warmUps?: number;
  /**
   * Whether garbage is left alone between turns. To collect all of it makes the engine drop the code that it compiled for
   * objects of which there are none just then, so that much of a turn is compiling; processes that run for long seldom do.
   */
  readonly isSteady?: boolean;
  /** Does everything that is not measured, and hands out the two sides. */
  prepare(): Promise<Sides>;
}

export interface Sides {
  ours(): Promise<Turn>;
  rival(): Promise<Turn>;
  close?(): Promise<void>;
}

/** What one side did once. */
export interface Turn {
  /** Must be the same on both sides, which says that they did the same work. */
  readonly did: unknown;
  /** What it cost. Default: the CPU time of this process meanwhile. */
  readonly cost?: number;
}

export interface Result {
  readonly benchmark: Benchmark;
  /** Cost of the rival divided by ours: above 1 we win. Median, 10th and 90th percentile of the rounds. */
  readonly ratio: number;
  readonly p10: number;
  readonly p90: number;
}

/** @param share of the rounds that the benchmark asks for. */
export async function measure(benchmark: Benchmark, share = 1): Promise<Result> {
  const sides = await benchmark.prepare();
  const rounds = Math.max(3, Math.round((benchmark.rounds ?? 15) * share));
  const ratios: number[] = [];
  try {
    for (let warmUp = 0; warmUp < (benchmark.warmUps ?? WARM_UPS); warmUp++) {
      await sides.ours();
      await sides.rival();
    }
    for (let round = 0; round < rounds; round++) {
      // The order alternates, so that neither side always finds the caches warm.
      const oursFirst = round % 2 === 0;
      const first = await turn(oursFirst ? sides.ours : sides.rival, benchmark);
      const second = await turn(oursFirst ? sides.rival : sides.ours, benchmark);
      if (JSON.stringify(first.did) !== JSON.stringify(second.did)) {
        throw new Error(
          `${benchmark.name}: the two sides did not do the same work: ` +
            `${JSON.stringify(first.did)} and ${JSON.stringify(second.did)}`,
        );
      }
      ratios.push(oursFirst ? second.cost / first.cost : first.cost / second.cost);
    }
  } finally {
    await sides.close?.();
  }
  ratios.sort((a, b) => a - b);
  const at = (part: number) => ratios[Math.round((ratios.length - 1) * part)] ?? Number.NaN;
  return { benchmark, ratio: at(0.5), p10: at(0.1), p90: at(0.9) };
}

/** Turns before the first that counts, for the compiler to see what is hot. */
const WARM_UPS = 3;

async function turn(side: () => Promise<Turn>, { isSteady = false }: Benchmark): Promise<Required<Turn>> {
  if (!isSteady) globalThis.gc?.();
  const before = process.cpuUsage();
  const { did, cost } = await side();
  const { user, system } = process.cpuUsage(before);
  return { did, cost: cost ?? Math.max(1, user + system) };
}
