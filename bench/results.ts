import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import type { Result } from './harness.ts';

const FILE = 'bench/RESULTS.md';

/** Writes the table of ratios into bench/RESULTS.md. */
export async function writeResults(results: readonly Result[]): Promise<void> {
  const rows = results.map(({ benchmark: { name, rival, atLeast, stretch }, ratio, p10, p90 }) => {
    const least = ratio < atLeast ? `${atLeast}, **not reached**` : `${atLeast}`;
    const goal = stretch === undefined ? least : `${least} (${stretch})`;
    return `| \`${name}\` | ${rival} | **${round(ratio)}** | ${round(p10)} to ${round(p90)} | ${goal} |`;
  });
  await writeSection(
    'ratios',
    `Made by \`npm run bench\` on ${machine()}.

| name | rival | median ratio | p10 to p90 | goal (stretch) |
|---|---|---|---|---|
${rows.join('\n')}`,
  );
}

/** Replaces what stands in bench/RESULTS.md between the two marks of `section`; the rest is written by hand. */
export async function writeSection(section: string, text: string): Promise<void> {
  const [open, close] = [`<!-- ${section} -->`, `<!-- /${section} -->`];
  const old = await readFile(FILE, 'utf8');
  const from = old.indexOf(open);
  const until = old.indexOf(close);
  if (from < 0 || until < from) throw new Error(`${FILE} has no ${open} … ${close}`);
  await writeFile(FILE, `${old.slice(0, from + open.length)}\n${text}\n${old.slice(until)}`);
}

export function machine(): string {
  return `${availableParallelism()} cores (${cpus()[0]?.model.trim()}), Node ${process.versions.node}`;
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}
