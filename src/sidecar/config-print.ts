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
  if (value === undefined) return undefined;
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

/** A URL without what lets its bearer in: user, password, and a query, which may hold a key. */
export function maskUrl(url: string): string {
  const scheme = /^[a-z+]+:(?:\/\/)?/i.exec(url)?.[0] ?? '';
  const [place = '', query] = splitOnce(url.slice(scheme.length), '?');
  const at = place.lastIndexOf('@');
  const shownPlace = at < 0 || scheme === 'unix:' ? place : `${MASK}@${place.slice(at + 1)}`;
  return `${scheme}${shownPlace}${query === undefined ? '' : `?${MASK}`}`;
}

function splitOnce(text: string, separator: string): readonly [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
