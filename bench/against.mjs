// Measures the working tree beside another revision of it, for changes that are smaller than what machines differ by
// from minute to minute:
//
//     npm run bench:against -- REVISION NAME [NAME …]
//
// Both run in turns in one process, then again in others: where the engine puts code makes some of them favour one side
// by a few percent. Above 1 the working tree is quicker.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { cache, compile, root } from './compile.mjs';

/** Even, so that each side is loaded first as often. */
const PROCESSES = 6;

const [revision, ...names] = process.argv.slice(2);
if (revision === undefined || revision.startsWith('-') || names.length === 0) {
  console.error('npm run bench:against -- REVISION NAME …   (names as of npm run bench -- --help)');
  process.exit(2);
}
process.on('exit', () => rmSync(cache, { recursive: true, force: true }));

const other = `${cache}/tree/`;
mkdirSync(other, { recursive: true });
try {
  const tree = execFileSync('git', ['-C', root, 'archive', revision], {
    maxBuffer: 2 ** 30,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  execFileSync('tar', ['-x', '-C', other], { input: tree });
} catch {
  console.error(`no tree of ${revision} could be had from git`);
  process.exit(2);
}
symlinkSync(`${root}node_modules`, `${other}node_modules`);
compile(root, `${cache}/ours`);
compile(other, `${cache}/theirs`);

for (const name of names) {
  const ratios = [];
  for (let run = 0; run < PROCESSES; run++) {
    const args = ['--expose-gc', `${cache}/ours/bench/against.js`, `${cache}/theirs`, name, String(run % 2)];
    const { status, stdout } = spawnSync(process.execPath, args, {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (status !== 0) process.exit(status ?? 1);
    ratios.push(Number(stdout));
  }
  ratios.sort((a, b) => a - b);
  const middle = (ratios[PROCESSES / 2 - 1] + ratios[PROCESSES / 2]) / 2;
  console.log(
    `${name.padEnd(20)} ${middle.toFixed(3)} (${ratios[0].toFixed(3)} to ${ratios.at(-1).toFixed(3)})`,
  );
}
