import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { readConfig } from '../sidecar/config/config.ts';
import { ConfigError } from '../sidecar/config/config-error.ts';
import type { FileCheck } from '../sidecar/config/config-named-files.ts';
import type { CommonSettings } from '../sidecar/config/config-overlay.ts';
import type { SidecarConfig } from '../sidecar/config/config-schema.ts';
import { errorCode } from '../support/error-code.ts';
import { CliError } from './cli-error.ts';
import { printable } from './printable.ts';

/** What can be said to `spanplan serve` and `spanplan config`. */
export interface ServeOptions extends CommonSettings {
  readonly config?: string;
}

/**
 * The configuration of file, environment and flags.
 * @param checkFile looks at the files that it names, where they are to be used.
 * @throws CliError that names every mistake; with status 2 where all are those of how the command was typed. A store
 * that cannot be used is none of these: then the command was right and cannot be done.
 */
export function configOf(
  { config = process.env.SPANPLAN_CONFIG, ...flags }: ServeOptions,
  checkFile?: FileCheck,
): SidecarConfig {
  const file = config ? { name: config, text: textOf(config) } : undefined;
  try {
    return readConfig({ file, flags, env: process.env, checkFile });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const lines = error.message.split('\n').map((line) => `\n  ${printable(line)}`);
    const isUsage = error.mistakes.every(({ place }) => place.startsWith('--') && place !== '--store');
    throw new CliError(`The configuration cannot be used:${lines.join('')}`, isUsage ? 2 : 1, {
      cause: error,
    });
  }
}

/** Why a file cannot be read; undefined where it can. */
export function unreadable(path: string): string | undefined {
  try {
    if (!statSync(path).isFile()) return 'it is no file';
    accessSync(path, constants.R_OK);
    return undefined;
  } catch (error) {
    return errorCode(error) ?? 'unknown error';
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = errorCode(error) ?? 'unknown error';
    const what = FAULTS.get(code) ?? `The file ${printable(path)} cannot be read (${code})`;
    throw new CliError(
      `${what.replace('PATH', () => printable(path))}; --config names a file in YAML, and may be left out.`,
      1,
      { cause: error },
    );
  }
}

const FAULTS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'There is no file PATH'],
  ['EISDIR', 'PATH is a directory'],
]);
