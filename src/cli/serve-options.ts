import { existsSync, readFileSync } from 'node:fs';
import { readConfig } from '../sidecar/config.ts';
import { ConfigError } from '../sidecar/config-error.ts';
import type { CommonSettings } from '../sidecar/config-overlay.ts';
import type { SidecarConfig } from '../sidecar/config-schema.ts';
import { CliError } from './cli-error.ts';
import { printable } from './printable.ts';

/** What can be said to `spanplan serve` and `spanplan config`. */
export interface ServeOptions extends CommonSettings {
  readonly config?: string;
}

/**
 * The configuration of file, environment and flags.
 * @throws CliError that names every mistake; with status 2 where all are those of flags.
 */
export function configOf({ config = process.env.SPANPLAN_CONFIG, ...flags }: ServeOptions): SidecarConfig {
  const file = config ? { name: config, text: textOf(config) } : undefined;
  try {
    return readConfig({ file, flags, env: process.env });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const lines = error.message.split('\n').map((line) => `\n  ${printable(line)}`);
    const isUsage = error.mistakes.every(({ place }) => place.startsWith('--'));
    throw new CliError(`The configuration cannot be used:${lines.join('')}`, isUsage ? 2 : 1, {
      cause: error,
    });
  }
}

function textOf(path: string): string {
  if (!existsSync(path)) {
    throw new CliError(
      `There is no file ${printable(path)}; --config names a file in YAML, and may be left out.`,
    );
  }
  return readFileSync(path, 'utf8');
}
