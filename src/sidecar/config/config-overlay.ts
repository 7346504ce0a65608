import type { ConfigMistake } from './config-error.ts';
import type { ConfigPath } from './config-file.ts';

/** The common settings, which need no file. All as they were typed. */
export interface CommonSettings {
  /** HOST:PORT. */
  readonly http?: string | undefined;
  readonly grpc?: string | undefined;
  readonly admin?: string | undefined;
  /** A URL, as for all commands. */
  readonly store?: string | undefined;
  readonly keyPrefix?: string | undefined;
  /** A URL. */
  readonly forward?: string | undefined;
  readonly logLevel?: string | undefined;
}

/** One setting laid over what the file says. */
export interface Overlay {
  /** The flag or variable that it came by. */
  readonly place: string;
  /** Whether the value of this path came by it. */
  sets(path: ConfigPath): boolean;
  apply(values: unknown): unknown;
  /** What is wrong with it, by itself or for these values. */
  mistakeWith(values: unknown): ConfigMistake | undefined;
}

/** All common settings that are given, the stronger later: those of the environment (`SPANPLAN_*`), then flags. */
export function overlaysOf(
  flags: CommonSettings,
  env: Readonly<Record<string, string | undefined>>,
): readonly Overlay[] {
  const names = Object.keys(EDITS) as (keyof CommonSettings)[];
  const fromEnv = names.map((name) => overlayOf(name, env[variableOf(name)] || undefined, variableOf(name)));
  const fromFlags = names.map((name) => overlayOf(name, flags[name], flagOf(name)));
  return [...fromEnv, ...fromFlags].filter((overlay) => overlay !== undefined);
}

/** Where a setting goes: the path that is set, and the keys beside it that it takes the place of. */
interface Edit {
  readonly path: readonly string[];
  readonly value: unknown;
  readonly replaces?: readonly string[];
  /** Means something only where this is configured already; with what to say where it is not. */
  readonly onlyWith?: { readonly path: readonly string[]; readonly expected: string };
}

const PROTOCOLS = ['receivers', 'otlp', 'protocols'];

/** Undefined for a text that means nothing. */
const EDITS: Readonly<Record<keyof CommonSettings, (text: string) => Edit | undefined>> = {
  http: (value) => ({ path: [...PROTOCOLS, 'http', 'endpoint'], value }),
  grpc: (value) => ({ path: [...PROTOCOLS, 'grpc', 'endpoint'], value }),
  admin: (value) => ({ path: ['extensions', 'admin', 'endpoint'], value }),
  store: storeEdit,
  keyPrefix: (value) => ({
    path: ['exporters', 'redis', 'key_prefix'],
    value,
    onlyWith: {
      path: ['exporters', 'redis'],
      expected:
        'expected only with plans in Redis (--store redis://HOST:PORT); in other stores there are no keys',
    },
  }),
  forward: forwardEdit,
  logLevel: (value) => ({ path: ['service', 'telemetry', 'logs', 'level'], value }),
};

const EXPECTED: Readonly<Partial<Record<keyof CommonSettings, string>>> = {
  store: 'expected lmdb:PATH, redis://HOST:PORT, rediss://HOST:PORT, unix:PATH or memory:',
  forward: 'expected http://HOST:PORT, https://HOST:PORT, or grpc://HOST:PORT',
};

function storeEdit(url: string): Edit | undefined {
  const others = (kept: string) => ['lmdb', 'redis', 'memory'].filter((name) => name !== kept);
  if (/^memory:$/i.test(url)) return { path: ['exporters', 'memory'], value: {}, replaces: others('memory') };
  if (/^lmdb:./i.test(url)) {
    return {
      path: ['exporters', 'lmdb', 'path'],
      value: url.slice('lmdb:'.length),
      replaces: others('lmdb'),
    };
  }
  if (!/^(?:rediss?:\/\/|(?:redis\+)?unix:.)/i.test(url)) return undefined;
  return { path: ['exporters', 'redis', 'endpoint'], value: url, replaces: others('redis') };
}

function forwardEdit(url: string): Edit | undefined {
  if (/^https?:\/\/./i.test(url)) {
    return { path: ['exporters', 'otlphttp', 'endpoint'], value: url, replaces: ['otlp'] };
  }
  const [, s, rest] = /^grpc(s?):\/\/(.+)$/i.exec(url) ?? [];
  if (rest === undefined) return undefined;
  return { path: ['exporters', 'otlp', 'endpoint'], value: `http${s}://${rest}`, replaces: ['otlphttp'] };
}

function overlayOf(name: keyof CommonSettings, text: string | undefined, place: string): Overlay | undefined {
  if (text === undefined) return undefined;
  const edit = EDITS[name](text);
  if (edit === undefined) {
    const mistake = { place, path: '', message: EXPECTED[name] ?? 'expected another value' };
    return { place, sets: () => false, apply: (values) => values, mistakeWith: () => mistake };
  }
  return {
    place,
    sets: (path) => path.length === edit.path.length && edit.path.every((key, at) => key === path[at]),
    apply: (values) => applyEdit(values, edit),
    mistakeWith: (values) =>
      isMeant(values, edit) ? undefined : { place, path: '', message: edit.onlyWith?.expected ?? '' },
  };
}

function isMeant(values: unknown, { onlyWith }: Edit): boolean {
  return onlyWith === undefined || valueAt(values, onlyWith.path) !== undefined;
}

function applyEdit(values: unknown, edit: Edit): unknown {
  if (!isMeant(values, edit)) return values;
  const { path, value, replaces = [] } = edit;
  let edited = values;
  // A protocol that is named must not turn off the other one where the file names none.
  if (path.includes('protocols') && (valueAt(values, PROTOCOLS) ?? null) === null) {
    edited = withValue(edited, PROTOCOLS, { http: null, grpc: null });
  }
  edited = withValue(edited, path, value);
  for (const name of replaces) edited = withValue(edited, [path[0] ?? '', name], undefined);
  return edited;
}

/** A copy in which the value of the path is another. What is no map stays, to be found out as a mistake. */
function withValue(values: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value;
  const map = values ?? {};
  if (!isMap(map)) return values;
  const { [key]: old, ...others } = map;
  if (rest.length === 0 && value === undefined) return others;
  return { ...map, [key]: withValue(old, rest, value) };
}

function valueAt(values: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => (isMap(value) ? value[key] : undefined), values);
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function variableOf(name: string): string {
  return `SPANPLAN_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}
