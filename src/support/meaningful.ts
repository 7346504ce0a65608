import { charCode } from './char-code.ts';
import { flat } from './flat.ts';

/** No more than this is read of any one attribute value, in UTF-16 units. */
export const MAX_ATTRIBUTE_LENGTH = 65_536;

/** Ids and names that mean "none" in the wild; the last three are what languages make of a missing value. */
const PLACEHOLDERS = new Set(['', 'unknown', '<not specified>', 'n/a', 'none', 'null', 'undefined']);

/** A bit for each length that one of them has, and for each first letter, in either case. */
const LENGTHS = bitsOf(({ length }) => length);
const LETTERS = bitsOf(letterBits);

function bitsOf(placeIn: (placeholder: string) => number): number {
  let bits = 0;
  for (const placeholder of PLACEHOLDERS) bits |= 1 << placeIn(placeholder);
  return bits;
}

/** The last five bits of the first letter, which are those of its other case. */
function letterBits(text: string): number {
  return charCode(text, 0) & 31;
}

/** What `value` says, trimmed; undefined where it is empty or a placeholder. It keeps nothing alive of what it was cut from. */
export function meaningful(value: string): string | undefined {
  const trimmed = (value.length > MAX_ATTRIBUTE_LENGTH ? value.slice(0, MAX_ATTRIBUTE_LENGTH) : value).trim();
  if (mayBePlaceholder(trimmed) && PLACEHOLDERS.has(trimmed.toLowerCase())) return undefined;
  return trimmed.length === value.length ? trimmed : flat(trimmed);
}

/** Nearly always tells at less cost than to look it up. */
function mayBePlaceholder(text: string): boolean {
  return text.length < 32 && ((LENGTHS >>> text.length) & (LETTERS >>> letterBits(text)) & 1) === 1;
}

const GENERATED_ID =
  /^(?:(?:urn:uuid:)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{16,})$/i;

/** Whether an id was made anew for a run or an object, and so names nobody. */
export function isGeneratedId(id: string): boolean {
  return GENERATED_ID.test(id);
}
