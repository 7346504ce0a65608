import type { Convention } from './convention.ts';

/** The attribute names that a set of conventions reads: what a source has to decode of a span, and no more. */
export interface AttributeNames {
  /** Whether some convention reads the attribute of this name. */
  wants(key: string): boolean;
}

/** Gathers the names of `conventions`; in each name one `*` stands for any characters. */
export function attributeNames(
  conventions: readonly Pick<Convention, 'attributes'>[],
  further: readonly string[] = [],
): AttributeNames {
  const exact = new Set<string>();
  const patterns = new Map<string, Pattern>();
  for (const name of [...conventions.flatMap((convention) => convention.attributes), ...further]) {
    const star = name.indexOf('*');
    if (star < 0) exact.add(name);
    else patterns.set(name, { start: name.slice(0, star), end: name.slice(star + 1) });
  }
  const starred = [...patterns.values()];
  // The same few hundred keys come again and again; past the bound they are judged anew.
  const judged = new Map<string, boolean>();
  return {
    wants(key) {
      const known = judged.get(key);
      if (known !== undefined) return known;
      const isWanted = exact.has(key) || starred.some((pattern) => matches(pattern, key));
      if (judged.size < MAX_JUDGED) judged.set(key, isWanted);
      return isWanted;
    },
  };
}

const MAX_JUDGED = 4_096;

interface Pattern {
  readonly start: string;
  readonly end: string;
}

function matches({ start, end }: Pattern, key: string): boolean {
  return key.length >= start.length + end.length && key.startsWith(start) && key.endsWith(end);
}
