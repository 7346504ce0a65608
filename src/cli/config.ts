import { printConfig } from '../sidecar/config/config-print.ts';
import type { Outputs } from './output.ts';
import { configOf, type ServeOptions } from './serve-options.ts';

/**
 * `spanplan config`: the configuration that `serve` would run with, as a file would say it, secrets masked.
 * @throws CliError that names every mistake.
 */
export function showConfig(options: ServeOptions, { out }: Outputs): void {
  out.write(printConfig(configOf(options)));
}
