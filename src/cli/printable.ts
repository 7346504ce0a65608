/**
 * What a span says of itself may hold anything, escape sequences for the terminal included. Makes such text safe to
 * print: controls, direction marks, line separators, lone surrogates and unassigned invisibles become `\x1b`, `\u{202e}`.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, escaped);
}

/** JSON that is safe on a terminal too, and still means the same: JSON itself lets a few controls through raw. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value, undefined, 2).replace(UNPRINTABLE_IN_JSON, (character) =>
    [...Array(character.length).keys()].map((at) => unicodeEscape(character.charCodeAt(at))).join(''),
  );
}

/** The joiners (U+200C, U+200D) stay: scripts and emoji need them, and they move nothing. */
const UNPRINTABLE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
/** Line breaks here are those of the layout; inside of texts they are escaped already. */
const UNPRINTABLE_IN_JSON = /(?![\n\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (character === '\n') return '\\n';
  if (character === '\t') return '\\t';
  const hex = code.toString(16);
  return code < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`;
}

function unicodeEscape(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}
