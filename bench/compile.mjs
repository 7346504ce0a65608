import { execFileSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Inside node_modules, so that packages are found from there; of this process alone, so that two can run. */
export const cache = `${root}node_modules/.cache/spanplan-bench-${process.pid}`;

const tsc = createRequire(import.meta.url)
  .resolve('typescript/package.json')
  .replace(/package\.json$/, 'bin/tsc');

/**
 * Compiles src and bench of a tree with plain tsc, not as a loader for TypeScript would, and builds the package beside
 * them: what `spanplan` exports is measured as users get it, from few joined files. The rest is measured as it lies.
 */
export function compile(from, out) {
  execFileSync(process.execPath, [tsc, '-p', `${from}tsconfig.bench.json`, '--outDir', out, '--noCheck'], {
    stdio: 'inherit',
  });
  for (const folder of ['src/store/redis', 'test/fixtures/captures']) {
    cpSync(`${from}${folder}`, `${out}/${folder}`, {
      recursive: true,
      filter: (path) => !path.endsWith('.ts'),
    });
  }
  cpSync(`${from}package.json`, `${out}/package.json`);
  execFileSync(process.execPath, [`${from}scripts/build.mjs`, `${out}/dist`], { stdio: 'inherit' });
}
