import { meaningful } from '../support/meaningful.ts';

type Attributes = Readonly<Record<string, unknown>>;

/** The value where it is a string that says something, trimmed; undefined for placeholders and other types. */
export function text(attributes: Attributes, key: string): string | undefined {
  const value = attributes[key];
  return typeof value === 'string' ? meaningful(value) : undefined;
}

/** The first of `keys` that holds text. */
export function firstText(attributes: Attributes, ...keys: readonly string[]): string | undefined {
  return firstTextOf(attributes, keys);
}

/** The same of a list that is there already, which a call for each span is not to copy. */
export function firstTextOf(attributes: Attributes, keys: readonly string[]): string | undefined {
  for (const key of keys) {
    const value = attributes[key];
    const said = typeof value === 'string' ? meaningful(value) : undefined;
    if (said !== undefined) return said;
  }
  return undefined;
}

/** Whether one of `keys` is there at all: the cheap question before the dear ones. */
export function holdsAny(attributes: Attributes, keys: readonly string[]): boolean {
  for (const key of keys) if (attributes[key] !== undefined) return true;
  return false;
}

/** The first of `keys` that holds a whole number of zero or more; OTLP/JSON may carry it as a decimal string. */
export function firstCount(attributes: Attributes, ...keys: readonly string[]): number | undefined {
  for (const key of keys) {
    const value = attributes[key];
    const count = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
    if (typeof count === 'number' && Number.isSafeInteger(count) && count >= 0) return count;
    if (typeof count === 'bigint' && count >= 0n && count <= BigInt(Number.MAX_SAFE_INTEGER))
      return Number(count);
  }
  return undefined;
}

/** Whether the value is true; some exporters write booleans as text. */
export function isTrue(attributes: Attributes, key: string): boolean {
  const value = attributes[key];
  return value === true || value === 'true';
}
