/**
 * Measures spanplan beside a rival, in turns, in one process, and tells the ratio of their costs. Cost is the CPU time of
 * the whole process for the same work, what was put off until later included; never wall-clock time.
 */
export interface Benchmark {
  readonly name: string;
  readonly rival: string;
  /** The least ratio the project holds itself to. */
  readonly atLeast: number;
  /** Does everything that is not measured, and hands out the two sides. */
  prepare(): Promise<Sides>;
}

export interface Sides {
  /** Each does the same work once; both must return the same, which says that they did. */
  ours(): Promise<unknown>;
  rival(): Promise<unknown>;
  readonly rounds?: number;
  close?(): Promise<void>;
}

export interface Result {
  readonly name: string;
  readonly rival: string;
  readonly atLeast: number;
  /** Cost of the rival divided by ours: above 1 we win. Median, 10th and 90th percentile of the rounds. */
  readonly ratio: number;
  readonly p10: number;
  readonly p90: number;
}

export async function measure(benchmark: Benchmark): Promise<Result> {
  const sides = await benchmark.prepare();
  const ratios: number[] = [];
  try {
    await sides.ours();
    await sides.rival();
    for (let round = 0; round < (sides.rounds ?? 15); round++) {
      // The order alternates, so that neither side always finds the caches warm.
      const oursFirst = round % 2 === 0;
      const first = await cost(oursFirst ? sides.ours : sides.rival);
      const second = await cost(oursFirst ? sides.rival : sides.ours);
      if (JSON.stringify(first.result) !== JSON.stringify(second.result)) {
        throw new Error(`${benchmark.name}: the two sides did not do the same work`);
      }
      ratios.push(oursFirst ? second.cpu / first.cpu : first.cpu / second.cpu);
    }
  } finally {
    await sides.close?.();
  }
  ratios.sort((a, b) => a - b);
  const at = (share: number) => ratios[Math.round((ratios.length - 1) * share)] ?? Number.NaN;
  const { name, rival, atLeast } = benchmark;
  return { name, rival, atLeast, ratio: at(0.5), p10: at(0.1), p90: at(0.9) };
}

async function cost(
  work: () => Promise<unknown>,
): Promise<{ readonly cpu: number; readonly result: unknown }> {
  globalThis.gc?.();
  const before = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  return { cpu: Math.max(1, user + system), result };
}
