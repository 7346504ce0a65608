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

/** Runs benchmarks, each beside its rival; USAGE says how. */
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

const FLAGS: readonly string[] = ['--json', '--check', '--help'];

const USAGE = `npm run bench                  all; writes bench/RESULTS.md
npm run bench -- NAME …        some: ${BENCHMARKS.map(({ name }) => name).join(', ')}
npm run bench -- --json        one JSON object a line
npm run bench:check            short; status 1 where a ratio falls below three quarters of its goal`;

/** Wide, because machines are noisy. */
const TOLERATED_SHARE = 0.75;
const SHORT_SHARE = 0.3;

const { names, flags } = parseArguments(process.argv.slice(2));
const isJson = flags.has('--json');
const isCheck = flags.has('--check');

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

/** Ends the process where there is nothing to measure, since what is wrong would be seen after minutes only. */
function parseArguments(given: readonly string[]) {
  const flags = new Set(given.filter((argument) => argument.startsWith('-')));
  const names = given.filter((argument) => !flags.has(argument));
  if (flags.has('--help')) {
    console.log(USAGE);
    process.exit(0);
  }
  const unknownFlags = [...flags].filter((flag) => !FLAGS.includes(flag));
  const unknownNames = names.filter((name) => !BENCHMARKS.some((benchmark) => isNamed(benchmark, name)));
  if (unknownFlags.length > 0)
    console.error(`No flag ${unknownFlags.join(', ')}; there are ${FLAGS.join(', ')}`);
  if (unknownNames.length > 0) {
    const known = BENCHMARKS.map(({ name }) => name);
    console.error(`No benchmark ${unknownNames.join(', ')}; there are ${known.join(', ')}`);
  }
  if (unknownFlags.length + unknownNames.length > 0) process.exit(2);
  return { names, flags };
}

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
