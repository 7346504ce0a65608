/** No more than this is read of any one attribute value, in UTF-16 units. */
export const MAX_ATTRIBUTE_LENGTH = 65_536;

type Attributes = Readonly<Record<string, unknown>>;

/** Ids and names that mean "none" in the wild; the last three are what languages make of a missing value. */
const PLACEHOLDERS = new Set(['', 'unknown', '<not specified>', 'n/a', 'none', 'null', 'undefined']);

/** What `value` says, trimmed; undefined where it is empty or a placeholder. */
export function meaningful(value: string): string | undefined {
  const trimmed = value.slice(0, MAX_ATTRIBUTE_LENGTH).trim();
  return PLACEHOLDERS.has(trimmed.toLowerCase()) ? undefined : trimmed;
}

/** The value where it is a string that says something, trimmed; undefined for placeholders and other types. */
export function text(attributes: Attributes, key: string): string | undefined {
  const value = attributes[key];
  return typeof value === 'string' ? meaningful(value) : undefined;
}

/** The first of `keys` that holds text. */
export function firstText(attributes: Attributes, ...keys: readonly string[]): string | undefined {
  for (const key of keys) {
    const value = text(attributes, key);
    if (value !== undefined) return value;
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
