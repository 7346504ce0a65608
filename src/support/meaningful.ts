import { charCode } from './char-code.ts';

/** No more than this is read of any one attribute value, in UTF-16 units. */
export const MAX_ATTRIBUTE_LENGTH = 65_536;

/** Ids and names that mean "none" in the wild; the last three are what languages make of a missing value. */
const PLACEHOLDERS = new Set(['', 'unknown', '<not specified>', 'n/a', 'none', 'null', 'undefined']);

/** A bit for each length that a placeholder has, and for the last five bits of each first letter, of either case. */
let lengths = 0;
let letters = 0;
for (const placeholder of PLACEHOLDERS) {
  lengths |= 1 << placeholder.length;
  letters |= 1 << (placeholder.charCodeAt(0) & 31);
}

/** What `value` says, trimmed; undefined where it is empty or a placeholder. */
export function meaningful(value: string): string | undefined {
  const trimmed = (value.length > MAX_ATTRIBUTE_LENGTH ? value.slice(0, MAX_ATTRIBUTE_LENGTH) : value).trim();
  return mayBePlaceholder(trimmed) && PLACEHOLDERS.has(trimmed.toLowerCase()) ? undefined : trimmed;
}

/** Nearly always tells at less cost than to look it up. */
function mayBePlaceholder(text: string): boolean {
  return (
    text.length < 32 &&
    (lengths & (1 << text.length)) !== 0 &&
    (letters & (1 << (charCode(text, 0) & 31))) !== 0
  );
}

const GENERATED_ID =
  /^(?:(?:urn:uuid:)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{16,})$/i;

/** Whether an id was made anew for a run or an object, and so names nobody. */
export function isGeneratedId(id: string): boolean {
  return GENERATED_ID.test(id);
}
