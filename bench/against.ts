import { type Benchmark, measure, type Sides } from './harness.ts';

/**
 * Measures our side of a benchmark beside that of another build, which takes the place of the rival, and prints the
 * median ratio: `against.mjs` says what for. Arguments: the other build, the benchmark, and 1 where the other one is to
 * be loaded first.
 */
const [build = '', name = '', isOtherFirst] = process.argv.slice(2);

/** Each exports a list of benchmarks. */
const FILES = ['on-end', 'burst', 'heap', 'decode', 'receive', 'learn', 'sweep', 'import', 'read'];

const mine = new URL('.', import.meta.url).href;
const other = new URL(`file://${build}/bench/`).href;
const made = new Map<string, readonly [Benchmark, Sides]>();
for (const from of isOtherFirst === '1' ? [other, mine] : [mine, other]) made.set(from, await prepared(from));
const [[benchmark, ours], [, theirs]] = [sidesOf(mine), sidesOf(other)];
const { ratio } = await measure({
  ...benchmark,
  prepare: async () => ({
    ours: ours.ours,
    rival: theirs.ours,
    async close() {
      await Promise.all([ours.close?.(), theirs.close?.()]);
    },
  }),
});
console.log(ratio);
process.exit(0);

async function prepared(from: string): Promise<readonly [Benchmark, Sides]> {
  for (const file of FILES) {
    const lists: object = await import(new URL(`${file}.js`, from).href);
    const found = (Object.values(lists).flat() as Benchmark[]).find((one) => one.name === name);
    if (found !== undefined) return [found, await found.prepare()];
  }
  console.error(`no benchmark ${name} in ${from}`);
  process.exit(2);
}

function sidesOf(from: string): readonly [Benchmark, Sides] {
  const found = made.get(from);
  if (found === undefined) throw new Error(`nothing was prepared from ${from}`);
  return found;
}
