// Compiles src and bench with plain tsc and runs a file of bench/ from there: what is measured is what users get, and
// not what a loader for TypeScript makes of it.
//
//     node bench/start.mjs run.ts [arguments]
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
// Inside node_modules, so that packages are found from there; of this process alone, so that two can run.
const out = `${root}node_modules/.cache/spanplan-bench-${process.pid}`;
const [file, ...args] = process.argv.slice(2);
const tsc = createRequire(import.meta.url)
  .resolve('typescript/package.json')
  .replace(/package\.json$/, 'bin/tsc');

process.on('exit', () => rmSync(out, { recursive: true, force: true }));
execFileSync(process.execPath, [tsc, '-p', `${root}tsconfig.bench.json`, '--outDir', out, '--noCheck'], {
  stdio: 'inherit',
});
for (const folder of ['src/store/redis', 'test/fixtures/captures']) {
  cpSync(`${root}${folder}`, `${out}/${folder}`, {
    recursive: true,
    filter: (path) => !path.endsWith('.ts'),
  });
}
cpSync(`${root}package.json`, `${out}/package.json`);
const program = `${out}/bench/${file.replace(/\.ts$/, '.js')}`;
const { status } = spawnSync(process.execPath, ['--expose-gc', program, ...args], {
  stdio: 'inherit',
  cwd: root,
});
process.exit(status ?? 1);
