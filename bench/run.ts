import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { type Benchmark, measure, type Result } from './harness.ts';
import { learnBenchmarks } from './learn.ts';
import { onEndBenchmarks } from './on-end.ts';

/**
 *     npm run bench                  all; writes bench/RESULTS.md
 *     npm run bench -- NAME …        some
 *     npm run bench -- --json        one JSON object a line
 */
const BENCHMARKS: readonly Benchmark[] = [...onEndBenchmarks, ...learnBenchmarks];

const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const isJson = process.argv.includes('--json');
const unknown = names.filter((name) => !BENCHMARKS.some((benchmark) => benchmark.name === name));
if (unknown.length > 0) {
  console.error(
    `No benchmark ${unknown.join(', ')}; there are ${BENCHMARKS.map(({ name }) => name).join(', ')}`,
  );
  process.exit(2);
}

const results: Result[] = [];
for (const benchmark of BENCHMARKS) {
  if (names.length > 0 && !names.includes(benchmark.name)) continue;
  const result = await measure(benchmark);
  results.push(result);
  const { name, ratio, p10, p90, rival } = result;
  if (isJson)
    console.log(JSON.stringify({ name, ratio: round(ratio), p10: round(p10), p90: round(p90), rival }));
  else console.log(`${name.padEnd(14)} ${round(ratio)} (${round(p10)} to ${round(p90)})  beside ${rival}`);
}
if (names.length === 0) writeFileSync(new URL('RESULTS.md', import.meta.url), report(results));
process.exit(0);

function report(rows: readonly Result[]): string {
  const lines = rows.map(
    ({ name, rival, ratio, p10, p90, atLeast }) =>
      `| \`${name}\` | ${rival} | ${round(ratio)} | ${round(p10)} to ${round(p90)} | ${atLeast} |`,
  );
  return `# Results

Cost of the rival divided by ours, both in CPU time of one process, in turns: above 1 we win. Made by \`npm run bench\`
on ${availableParallelism()} cores (${cpus()[0]?.model.trim()}), Node ${process.versions.node}.

| name | rival | median ratio | p10 to p90 | goal |
|---|---|---|---|---|
${lines.join('\n')}
`;
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}
