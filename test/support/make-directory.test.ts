import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeDirectory } from '../../src/support/make-directory.ts';
import { workFolder } from '../cli/work-folder.ts';

test('makes what is missing above it too, for its owner only', () => {
  const folder = workFolder();
  makeDirectory(join(folder, 'a/b/c'));
  makeDirectory(join(folder, 'a/b/c'));
  for (const name of ['a', 'a/b', 'a/b/c']) expect(statSync(join(folder, name)).mode & 0o7777).toBe(0o700);
});

test('says so where it cannot, also of a directory that can hold none', () => {
  const folder = workFolder();
  const file = join(folder, 'file');
  writeFileSync(file, '');
  expect(() => makeDirectory(file)).toThrow('EEXIST');
  expect(() => makeDirectory(join(file, 'x'))).toThrow('ENOTDIR');
  // Where there is no /proc it can most likely not be made either.
  for (const path of ['/proc/nope', '/proc/nope/deeper']) {
    expect(() => makeDirectory(path)).toThrow(existsSync('/proc') ? 'ENOENT' : /E[A-Z]+/);
  }
});
