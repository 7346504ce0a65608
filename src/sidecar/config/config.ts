import type { z } from 'zod';
import { ConfigError, type ConfigMistake } from './config-error.ts';
import { ConfigFile, type ConfigPath } from './config-file.ts';
import { type FileCheck, fileMistakes } from './config-named-files.ts';
import { type CommonSettings, type Overlay, overlaysOf } from './config-overlay.ts';
import { configSchema, isContradiction, type SidecarConfig } from './config-schema.ts';
import { unknownKey } from './config-unknown-key.ts';
import { UNKNOWN } from './config-variables.ts';

export interface ConfigSources {
  /** The file's name and text, where there is one. */
  readonly file?: { readonly name: string; readonly text: string } | undefined;
  /** What was given on the command line. */
  readonly flags: CommonSettings;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Looks at the files that the configuration names. Not given: nobody does. */
  readonly checkFile?: FileCheck | undefined;
}

/**
 * Makes the configuration: a flag goes before the environment, that before the file, that before the default. All of
 * it is checked before any of it is used, and what is wrong with one part hides nothing of the others.
 *
 *     file → values ← environment ← flags → checked against the schema → configuration, or every mistake with its place
 *
 * @throws ConfigError with all mistakes.
 */
export function readConfig({ file, flags, env, checkFile }: ConfigSources): SidecarConfig {
  const parsed = file && new ConfigFile(file.name, file.text, env);
  const overlays = overlaysOf(flags, env);
  let values: unknown = parsed?.values ?? {};
  const mistakes: ConfigMistake[] = [...(parsed?.mistakes ?? [])];
  for (const overlay of overlays) {
    const mistake = overlay.mistakeWith(values);
    if (mistake !== undefined) mistakes.push(mistake);
    values = overlay.apply(values);
  }
  const sources: Sources = { values, overlays, file: parsed };
  const result = configSchema.safeParse(values);
  const issues = result.error?.issues ?? [];
  mistakes.push(...issues.flatMap((issue) => mistakesOf(issue, sources)));
  if (result.success && checkFile !== undefined) {
    for (const { path, message } of fileMistakes(result.data, checkFile)) {
      mistakes.push({ place: placeOf(path, sources), path: dotted(path), message });
    }
  }
  if (result.success && mistakes.length === 0) return result.data;
  throw new ConfigError(file === undefined ? mistakes : inOrder(mistakes, file.name));
}

/** Where values come from. */
interface Sources {
  readonly values: unknown;
  readonly overlays: readonly Overlay[];
  readonly file: ConfigFile | undefined;
}

function mistakesOf(issue: z.core.$ZodIssue, sources: Sources): readonly ConfigMistake[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys.filter((key) => isSure(path, sources, key));
    return keys.map((key) => ({
      place: placeOf(path, sources, key),
      path: dotted([...path, key]),
      message: unknownKey(configSchema, path, key),
    }));
  }
  if (valueAt(sources.values, path) === UNKNOWN || !isSure(path, sources)) return [];
  // What contradicts what is not known while a part of the file is not.
  if (isContradiction(issue) && sources.file?.isSound === false) return [];
  const message = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
  return [{ place: placeOf(path, sources), path: dotted(path), message }];
}

function isSure(path: ConfigPath, { overlays, file }: Sources, key?: string): boolean {
  return overlays.some((overlay) => overlay.sets(path)) || (file?.isSure(path, key) ?? true);
}

function placeOf(path: ConfigPath, { overlays, file }: Sources, key?: string): string {
  return (
    overlays.findLast((overlay) => overlay.sets(path))?.place ?? file?.place(path, key) ?? 'configuration'
  );
}

function valueAt(values: unknown, path: ConfigPath): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    values,
  );
}

/** First what was said beside the file, then what stands in it, as it stands there. */
function inOrder(mistakes: readonly ConfigMistake[], file: string): readonly ConfigMistake[] {
  const positionOf = ({ place }: ConfigMistake) => {
    const [, line, column] = (place.startsWith(`${file}:`) && /:(\d+):(\d+)$/.exec(place)) || [];
    return [Number(line ?? 0), Number(column ?? 0)] as const;
  };
  return mistakes
    .map((mistake) => ({ mistake, position: positionOf(mistake) }))
    .sort(({ position: a }, { position: b }) => a[0] - b[0] || a[1] - b[1])
    .map(({ mistake }) => mistake);
}

function dotted(path: ConfigPath): string {
  return path.map(String).join('.');
}
