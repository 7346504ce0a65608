import { burstBenchmarks } from './burst.ts';
import { decodeBenchmarks } from './decode.ts';
import type { Benchmark, Result } from './harness.ts';
import { measure } from './harness.ts';
import { heapBenchmarks } from './heap.ts';
import { importBenchmarks } from './import.ts';
import { learnBenchmarks } from './learn.ts';
import { onEndBenchmarks } from './on-end.ts';
import { readBenchmarks } from './read.ts';
import { receiveBenchmarks } from './receive.ts';
import { writeResults } from './results.ts';
import { sweepBenchmarks } from './sweep.ts';

/**
 *     npm run bench                  all; writes bench/RESULTS.md
 *     npm run bench -- NAME …        some
 *     npm run bench -- --json        one JSON object a line
 *     npm run bench:check            short; status 1 where a ratio falls below three quarters of its goal
 */
const BENCHMARKS: readonly Benchmark[] = [
  ...onEndBenchmarks,
  ...burstBenchmarks,
  ...heapBenchmarks,
  ...decodeBenchmarks,
  ...receiveBenchmarks,
  ...learnBenchmarks,
  ...sweepBenchmarks,
  ...importBenchmarks,
  ...readBenchmarks,
];

/** Wide, because machines are noisy. */
const TOLERATED_SHARE = 0.75;
const SHORT_SHARE = 0.3;

const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const isJson = process.argv.includes('--json');
const isCheck = process.argv.includes('--check');
const unknown = names.filter((name) => !BENCHMARKS.some((benchmark) => isNamed(benchmark, name)));
if (unknown.length > 0) {
  console.error(
    `No benchmark ${unknown.join(', ')}; there are ${BENCHMARKS.map(({ name }) => name).join(', ')}`,
  );
  process.exit(2);
}

const results: Result[] = [];
for (const benchmark of BENCHMARKS) {
  if (names.length > 0 && !names.some((name) => isNamed(benchmark, name))) continue;
  const result = await measure(benchmark, isCheck ? SHORT_SHARE : 1);
  results.push(result);
  console.log(isJson ? asJson(result) : asLine(result));
}
if (names.length === 0 && !isCheck) await writeResults(results);
const tooSlow = results.filter(({ ratio, benchmark }) => !(ratio >= benchmark.atLeast * TOLERATED_SHARE));
if (isCheck && tooSlow.length > 0) {
  console.error(
    `Below three quarters of the goal: ${tooSlow.map((result) => result.benchmark.name).join(', ')}`,
  );
  process.exit(1);
}
process.exit(0);

/** `read` stands for all whose name begins with `read-`. */
function isNamed(benchmark: Benchmark, name: string): boolean {
  return benchmark.name === name || benchmark.name.startsWith(`${name}-`);
}

function asJson({ benchmark: { name, rival }, ratio, p10, p90 }: Result): string {
  return JSON.stringify({ name, ratio: round(ratio), p10: round(p10), p90: round(p90), rival });
}

function asLine({ benchmark: { name, rival, atLeast }, ratio, p10, p90 }: Result): string {
  const range = `(${round(p10)} to ${round(p90)})`;
  return `${name.padEnd(20)} ${String(round(ratio)).padStart(6)} ${range.padEnd(20)} goal ${atLeast}, beside ${rival}`;
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}
