// Compiles src and bench, and runs a file of bench/ from there.
//
//     node bench/start.mjs run.ts [arguments]
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { cache, compile, root } from './compile.mjs';

const [file, ...args] = process.argv.slice(2);
process.on('exit', () => rmSync(cache, { recursive: true, force: true }));
compile(root, cache);
const program = `${cache}/bench/${file.replace(/\.ts$/, '.js')}`;
const { status } = spawnSync(process.execPath, ['--expose-gc', program, ...args], {
  stdio: 'inherit',
  cwd: root,
});
process.exit(status ?? 1);
