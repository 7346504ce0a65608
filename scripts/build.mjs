// Builds dist/ (or the folder that is given): plain tsc, then the files that tsc leaves behind (Lua scripts) and the
// executable bit of the CLI.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = resolve(process.argv[2] ?? `${root}dist`);
const tsc = createRequire(import.meta.url)
  .resolve('typescript/package.json')
  .replace(/package\.json$/, 'bin/tsc');

rmSync(dist, { recursive: true, force: true });
execFileSync(process.execPath, [tsc, '-p', `${root}tsconfig.build.json`, '--outDir', dist], {
  stdio: 'inherit',
});
cpSync(`${root}src/store/redis`, `${dist}/store/redis`, {
  recursive: true,
  filter: (source) => !source.endsWith('.ts'),
});
if (existsSync(`${dist}/cli.js`)) chmodSync(`${dist}/cli.js`, 0o755);
