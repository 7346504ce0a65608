import type { z } from 'zod';
import { ConfigError, type ConfigMistake } from './config-error.ts';
import { ConfigFile, type ConfigPath } from './config-file.ts';
import { type CommonSettings, type Overlay, overlaysOf } from './config-overlay.ts';
import { configSchema, type SidecarConfig } from './config-schema.ts';
import { unknownKey } from './config-unknown-key.ts';

export interface ConfigSources {
  /** The file's name and text, where there is one. */
  readonly file?: { readonly name: string; readonly text: string } | undefined;
  /** What was given on the command line. */
  readonly flags: CommonSettings;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Makes the configuration: a flag goes before the environment, that before the file, that before the default. All of
 * it is checked before any of it is used.
 *
 *     file → values ← environment ← flags → checked against the schema → configuration, or every mistake with its place
 *
 * @throws ConfigError with all mistakes.
 */
export function readConfig({ file, flags, env }: ConfigSources): SidecarConfig {
  const parsed = file && new ConfigFile(file.name, file.text, env);
  if (parsed !== undefined && parsed.mistakes.length > 0) throw new ConfigError(parsed.mistakes);
  const overlays = overlaysOf(flags, env);
  const wrong = overlays.flatMap(({ mistake }) => mistake ?? []);
  let values: unknown = parsed?.values ?? {};
  for (const overlay of overlays) values = overlay.apply(values);
  const result = configSchema.safeParse(values);
  if (result.success && wrong.length === 0) return result.data;
  const issues = result.error?.issues ?? [];
  throw new ConfigError([...wrong, ...issues.flatMap((issue) => mistakesOf(issue, overlays, parsed))]);
}

function mistakesOf(
  issue: z.core.$ZodIssue,
  overlays: readonly Overlay[],
  file: ConfigFile | undefined,
): readonly ConfigMistake[] {
  const place = (path: ConfigPath, key?: string) =>
    overlays.findLast((overlay) => overlay.sets(path))?.place ?? file?.place(path, key) ?? 'configuration';
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      place: place(issue.path, key),
      path: dotted([...issue.path, key]),
      message: unknownKey(configSchema, issue.path, key),
    }));
  }
  const message = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
  return [{ place: place(issue.path), path: dotted(issue.path), message }];
}

function dotted(path: ConfigPath): string {
  return path.map(String).join('.');
}
