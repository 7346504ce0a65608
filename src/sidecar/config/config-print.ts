import { stringify } from 'yaml';
import { z } from 'zod';
import { type FieldKind, kindOf } from './config-field.ts';
import { configSchema, type SidecarConfig } from './config-schema.ts';
import { formatDuration, formatSize } from './config-units.ts';
import { bareOf } from './config-unknown-key.ts';

/** The configuration as a file would say it, defaults and all. What is secret is masked. */
export function printConfig(config: SidecarConfig): string {
  return stringify(shown(configSchema, config), { lineWidth: 0 });
}

const MASK = '****';

const SHOWN: Readonly<Record<FieldKind, (value: unknown) => unknown>> = {
  plain: (value) => value,
  size: (value) => formatSize(Number(value)),
  duration: (value) => formatDuration(Number(value)),
  secret: () => MASK,
  url: (value) => maskUrl(String(value)),
};

function shown(schema: z.ZodType, value: unknown): unknown {
  const kind = kindOf(schema);
  if (kind !== undefined) return SHOWN[kind](value);
  const bare = bareOf(schema);
  if (bare instanceof z.ZodArray && Array.isArray(value)) {
    return value.map((item) => shown(bare.element as z.ZodType, item));
  }
  if (typeof value !== 'object' || value === null) return value;
  const schemaOf = (key: string) =>
    (bare instanceof z.ZodObject
      ? bare.shape[key]
      : bare instanceof z.ZodRecord
        ? bare.valueType
        : undefined) as z.ZodType | undefined;
  const entries = Object.entries(value).flatMap(([key, item]) => {
    const inner = schemaOf(key);
    return inner === undefined || item === undefined ? [] : [[key, shown(inner, item)] as const];
  });
  return Object.fromEntries(entries);
}

/**
 * A URL without what may let its bearer in: user and password, the query, and of HTTP the path, in which some places
 * take a key. Where an @ follows a question mark nobody can tell where the password ends, and nothing is shown.
 */
export function maskUrl(url: string): string {
  if (/^lmdb:/i.test(url)) return url;
  const scheme = /^(?:[a-z+]+:\/\/|unix:)/i.exec(url)?.[0] ?? '';
  const [place = '', ...rest] = url.slice(scheme.length).split(/[?#]/);
  const query = rest.length === 0 ? '' : `?${MASK}`;
  if (scheme.toLowerCase() === 'unix:') return `${scheme}${place}${query}`;
  if (rest.some((part) => part.includes('@'))) return `${scheme}${MASK}`;
  const [host = '', ...path] = place.slice(place.lastIndexOf('@') + 1).split('/');
  const isHttp = /^https?:/i.test(scheme) && path.some((part) => part !== '');
  const shown = [host, ...(isHttp ? [MASK] : path)].join('/');
  return `${scheme}${place.includes('@') ? `${MASK}@` : ''}${shown}${query}`;
}
