// Builds dist/ (or the folder that is given): declarations by tsc, and modules by esbuild, which joins what is loaded
// together into few files: a hundred small ones take four times as long to import. Packages stay outside.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { joinSmallChunks } from './join-small-chunks.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = resolve(process.argv[2] ?? `${root}dist`);
const require = createRequire(import.meta.url);
const tsc = require.resolve('typescript/package.json').replace(/package\.json$/, 'bin/tsc');
const { bin, exports } = require('../package.json');

/** Of what users import and run: `./dist/store/x.js` is made of `src/store/x.ts`. */
const entries = [...Object.values(exports).map((entry) => entry.default), ...Object.values(bin)]
  .filter((file) => file?.startsWith('./dist/'))
  .map((file) => file.replace('./dist/', 'src/').replace(/\.js$/, '.ts'));

rmSync(dist, { recursive: true, force: true });
execFileSync(
  process.execPath,
  [tsc, '-p', `${root}tsconfig.build.json`, '--emitDeclarationOnly', '--outDir', dist],
  { stdio: 'inherit' },
);
const options = {
  absWorkingDir: root,
  entryPoints: entries,
  outbase: 'src',
  outdir: dist,
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  packages: 'external',
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  metafile: true,
  logLevel: 'warning',
};
const split = await build({ ...options, write: false });
const { metafile } = await build({ ...options, plugins: [joinSmallChunks(root, split.metafile.outputs)] });

// The scripts of Redis lie beside the module that reads them.
const readers = Object.entries(metafile.outputs).filter(
  ([, { inputs }]) => 'src/store/redis/redis-script.ts' in inputs,
);
for (const [output] of readers) {
  for (const name of readdirSync(`${root}src/store/redis`).filter((file) => file.endsWith('.lua'))) {
    cpSync(`${root}src/store/redis/${name}`, join(dirname(resolve(root, output)), name));
  }
}
for (const file of Object.values(bin)) chmodSync(join(dist, file.replace('./dist/', '')), 0o755);
