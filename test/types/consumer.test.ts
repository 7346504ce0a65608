import { execFile } from 'node:child_process';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, it } from 'vitest';
import { builtPackage } from '../support/built-package.ts';

// Compiles what users write against the declarations of the built package, as their own compiler would: all
// declaration files checked, in each setting that users have. The SDK 3.x is in test/package/sdk3.test.ts.

const run = promisify(execFile);
const TSC = join(createRequire(import.meta.url).resolve('typescript/package.json'), '../bin/tsc');
const HERE = fileURLToPath(new URL('.', import.meta.url));

const STRICT = {
  target: 'es2023',
  lib: ['es2023'],
  types: ['node'],
  strict: true,
  noEmit: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
};
const LOOSE = { ...STRICT, exactOptionalPropertyTypes: false, noUncheckedIndexedAccess: false };

let folder: string;
beforeAll(async () => {
  folder = join(await builtPackage(), 'consumer');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  for (const name of ['sdk-lines.ts', 'public-types.ts']) await cp(join(HERE, name), join(folder, name));
}, 60_000);

async function compile(name: string, files: readonly string[], compilerOptions: object): Promise<string> {
  const project = join(folder, `tsconfig.${name}.json`);
  await writeFile(project, JSON.stringify({ compilerOptions, files }));
  return run(process.execPath, [TSC, '-p', project]).then(
    () => '',
    (error: { readonly stdout: string }) => error.stdout,
  );
}

it.each([
  ['nodenext', { ...STRICT, module: 'nodenext' }],
  ['bundler', { ...STRICT, module: 'esnext', moduleResolution: 'bundler' }],
  ['loose', { ...LOOSE, module: 'nodenext' }],
])('the public types hold what they promise, with the settings "%s"', async (name, compilerOptions) => {
  const options = { ...compilerOptions, skipLibCheck: true };
  expect(await compile(name, ['public-types.ts'], options)).toBe('');
});

it.each([
  ['nodenext-lines', { ...STRICT, module: 'nodenext' }],
  ['loose-lines', { ...LOOSE, module: 'nodenext' }],
])(
  'the processor is a SpanProcessor of the SDK lines 1.30, 2.0 and 2.12, with the settings "%s"',
  async (name, compilerOptions) => {
    const options = { ...compilerOptions, skipLibCheck: true };
    expect(await compile(name, ['sdk-lines.ts'], options)).toBe('');
  },
);

it('the declarations of the package are without fault themselves', async () => {
  const options = { ...STRICT, module: 'nodenext', skipLibCheck: false };
  const faults = await compile('declarations', ['public-types.ts'], options);
  expect(faults.split('\n').filter((line) => line.includes('spanplan/dist'))).toEqual([]);
});
