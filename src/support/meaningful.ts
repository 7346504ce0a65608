/** No more than this is read of any one attribute value, in UTF-16 units. */
export const MAX_ATTRIBUTE_LENGTH = 65_536;

/** Ids and names that mean "none" in the wild; the last three are what languages make of a missing value. */
const PLACEHOLDERS = new Set(['', 'unknown', '<not specified>', 'n/a', 'none', 'null', 'undefined']);

const LONGEST_PLACEHOLDER = 15;

/** What `value` says, trimmed; undefined where it is empty or a placeholder. */
export function meaningful(value: string): string | undefined {
  const trimmed = (value.length > MAX_ATTRIBUTE_LENGTH ? value.slice(0, MAX_ATTRIBUTE_LENGTH) : value).trim();
  const mayBePlaceholder = trimmed.length <= LONGEST_PLACEHOLDER;
  return mayBePlaceholder && PLACEHOLDERS.has(trimmed.toLowerCase()) ? undefined : trimmed;
}

const GENERATED_ID =
  /^(?:(?:urn:uuid:)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{16,})$/i;

/** Whether an id was made anew for a run or an object, and so names nobody. */
export function isGeneratedId(id: string): boolean {
  return GENERATED_ID.test(id);
}
