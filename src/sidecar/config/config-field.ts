import { z } from 'zod';
import { formatDuration, parseDuration, parseSize } from './config-units.ts';

/** What a value of the configuration is, for whoever prints it. */
export type FieldKind = 'plain' | 'size' | 'duration' | 'secret' | 'url';

/** The kinds of values that a configuration is made of. Each says what it expects, and what it is when it is not given. */
export const field = {
  /** Text of at least one character. */
  text: <D extends string | undefined>(expected: string, fallback: D, isValid = isNotEmpty) =>
    fieldOf('plain', expected, (value) => textOf(value, isValid), fallback),

  /** Text that is never printed. */
  secret: <D extends string | undefined>(expected: string, fallback: D, isValid = isNotEmpty) =>
    fieldOf(
      'secret',
      `${expected}; where it is a number, put it in quotes`,
      (value) => textOf(value, isValid),
      fallback,
    ),

  /** A URL, which may hold a password. */
  url: <D extends string | undefined>(expected: string, fallback: D, isValid: (text: string) => boolean) =>
    fieldOf('url', expected, (value) => textOf(value, isValid), fallback),

  /** One of a few words. */
  choice: <const C extends string, D extends C | undefined>(choices: readonly C[], fallback: D) =>
    fieldOf(
      'plain',
      `one of ${choices.join(', ')}`,
      (value) => choices.find((choice) => choice === value),
      fallback,
    ),

  flag: <D extends boolean | undefined>(fallback: D) =>
    fieldOf('plain', 'true or false', (value) => FLAGS.get(value), fallback),

  /** A whole number. */
  count: <D extends number | undefined>(fallback: D, least = 1) =>
    fieldOf(
      'plain',
      `a whole number of at least ${least}`,
      (value) => atLeast(countOf(value), least),
      fallback,
    ),

  size: <D extends number | undefined>(fallback: D, least = 1) =>
    fieldOf(
      'size',
      'a size of at least 1 byte, for instance 64MiB',
      (value) => atLeast(parseSize(value), least),
      fallback,
    ),

  duration: <D extends number | undefined>(fallback: D, least = 1) =>
    fieldOf(
      'duration',
      `a duration of at least ${least === 0 ? '0' : formatDuration(least)} with its unit (ms, s, m, h, d), for instance ${least < 500 ? '10s or 500ms' : '10s or 2h'}`,
      (value) => atLeast(parseDuration(value), least),
      fallback,
    ),
};

/** A part of the configuration with keys of its own. One that is written without a value has its defaults. */
export function section<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.preprocess((value) => withKeys(shape, value ?? {}), z.strictObject(shape, { error: expectsKeys }));
}

/** The same, but undefined where it is not written at all. */
export function optionalSection<Shape extends z.ZodRawShape>(shape: Shape) {
  const schema = z.strictObject(shape, { error: expectsKeys });
  return z.preprocess(
    (value) => (value === undefined ? undefined : withKeys(shape, value ?? {})),
    schema.optional(),
  );
}

/** A list; empty where it is not written. `ifEmpty`: what to say of an empty one, where it is a mistake. */
export function list<Item extends z.ZodType>(item: Item, expected: string, ifEmpty?: string) {
  const items = z.array(item, { error: `expected a list of ${expected}` });
  return z.preprocess(
    (value) => value ?? [],
    ifEmpty === undefined ? items : items.min(1, { error: `expected ${ifEmpty}` }),
  );
}

/** How a field is to be printed; undefined for a schema that is no field. */
export function kindOf(schema: z.ZodType): FieldKind | undefined {
  return KINDS.get(schema);
}

const KINDS = new WeakMap<z.ZodType, FieldKind>();

/** A field sees only values of keys that are there, and each has its say about one that is not given. */
function withKeys(shape: z.ZodRawShape, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const missing = Object.keys(shape).filter((key) => !Object.hasOwn(value, key));
  return { ...value, ...Object.fromEntries(missing.map((key) => [key, undefined])) };
}

function fieldOf<T, D extends T | undefined>(
  kind: FieldKind,
  expected: string,
  read: (value: unknown) => T | undefined,
  fallback: D,
): z.ZodType<T | D, unknown> {
  const schema = z.unknown().transform((value, context): T | D => {
    if (value === undefined || value === null) {
      if (fallback !== REQUIRED) return fallback;
      context.addIssue({ code: 'custom', message: `missing: expected ${expected}` });
      return WRONG;
    }
    const result = read(value);
    if (result !== undefined) return result;
    context.addIssue({ code: 'custom', message: `expected ${expected}` });
    return WRONG;
  });
  KINDS.set(schema, kind);
  return schema;
}

/** In place of a default: the value must be given. */
export const REQUIRED: never = Symbol('required') as never;

/** What a value that is wrong is to those who look at the others. */
const WRONG: never = undefined as never;

/** Values that come from the environment are texts. */
const FLAGS = new Map<unknown, boolean>([
  [true, true],
  [false, false],
  ['true', true],
  ['false', false],
]);

function countOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : undefined;
}

function atLeast(value: number | undefined, least: number): number | undefined {
  return value !== undefined && value >= least ? value : undefined;
}

function textOf(value: unknown, isValid: (text: string) => boolean): string | undefined {
  return typeof value === 'string' && isValid(value) ? value : undefined;
}

function isNotEmpty(text: string): boolean {
  return text.trim() !== '';
}

/** Unknown keys are told apart from this, with a suggestion. */
function expectsKeys(issue: { readonly code?: string | undefined }): string | undefined {
  return issue.code === 'unrecognized_keys' ? undefined : 'expected keys with values below this one';
}
