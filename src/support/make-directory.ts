import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorCode } from './error-code.ts';

/**
 * Makes a directory, and those above it that are missing; for its owner only. Node's own recursive way never returns
 * where the kernel says of a directory that can hold none, such as /proc, that it is not there.
 * @throws Error of the system where it cannot be made.
 */
export function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (isDirectory(path)) return;
    const parent = dirname(path);
    if (errorCode(error) !== 'ENOENT' || parent === path || isDirectory(parent)) throw error;
    makeDirectory(parent);
    makeDirectory(path);
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
