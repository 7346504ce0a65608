import type { Convention } from './convention.ts';

/** The attribute names that a set of conventions reads: what a source has to decode of a span, and no more. */
export interface AttributeNames {
  /** Whether some convention reads the attribute of this name. */
  readonly wants: Wants;
}

/** Whether a span attribute is read at all. Values of others are never decoded. */
export interface Wants {
  (key: string): boolean;
  /** All names that are wanted, where they are known; in each one `*` stands for any characters. */
  readonly names?: readonly string[];
}

export const WANTS_NOTHING: Wants = Object.assign(() => false, { names: [] });

/** Gathers the names of `conventions`; in each name one `*` stands for any characters. */
export function attributeNames(
  conventions: readonly Pick<Convention, 'attributes'>[],
  further: readonly string[] = [],
): AttributeNames {
  const names = [...conventions.flatMap((convention) => convention.attributes), ...further];
  const isNamed = matcherOf(names);
  // The same few hundred keys come again and again; past the bound they are judged anew.
  const judged = new Map<string, boolean>();
  const wants = (key: string) => {
    const known = judged.get(key);
    if (known !== undefined) return known;
    const isWanted = isNamed(key);
    if (judged.size < MAX_JUDGED) judged.set(key, isWanted);
    return isWanted;
  };
  return { wants: Object.assign(wants, { names }) };
}

/** Tells by number, in rising order, which of `conventions` read the attribute of a name. */
export function attributeReaders(
  conventions: readonly Pick<Convention, 'attributes'>[],
): (key: string) => readonly number[] {
  const matchers = conventions.map(({ attributes }) => matcherOf(attributes));
  return (key) => matchers.flatMap((isNamed, index) => (isNamed(key) ? [index] : []));
}

const MAX_JUDGED = 4_096;

/** Whether a key is one of `names`. */
function matcherOf(names: readonly string[]): (key: string) => boolean {
  const exact = new Set(names.filter((name) => !name.includes('*')));
  const patterns = [...new Set(names)].filter((name) => name.includes('*')).map(patternOf);
  return (key) => exact.has(key) || patterns.some((pattern) => matches(pattern, key));
}

interface Pattern {
  readonly start: string;
  readonly end: string;
}

function patternOf(name: string): Pattern {
  const star = name.indexOf('*');
  return { start: name.slice(0, star), end: name.slice(star + 1) };
}

function matches({ start, end }: Pattern, key: string): boolean {
  return key.length >= start.length + end.length && key.startsWith(start) && key.endsWith(end);
}
