/**
 * How many columns text takes on a terminal: East Asian wide characters and emoji take two, marks that combine with
 * the character before take none.
 */
export function displayWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const { segment } of SEGMENTER.segment(text)) width += segmentWidth(segment);
  return width;
}

/** `text` in at most `width` columns; where something had to go, an ellipsis stands at its end. */
export function cutToWidth(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let cut = '';
  let used = 0;
  for (const { segment } of SEGMENTER.segment(text)) {
    used += segmentWidth(segment);
    if (used > width - 1) break;
    cut += segment;
  }
  return `${cut}…`;
}

const ASCII = /^[\x20-\x7e]*$/;
const SEGMENTER = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
const EMOJI = /^\p{Emoji_Presentation}|\ufe0f/u;
const MARK = /^[\p{M}\u200c\u200d]+$/u;

/** Blocks of Unicode's EastAsianWidth.txt whose characters are wide. */
const WIDE: readonly (readonly [first: number, last: number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f900, 0x1f9ff],
  [0x20000, 0x3fffd],
];

function segmentWidth(segment: string): number {
  if (MARK.test(segment)) return 0;
  if (EMOJI.test(segment)) return 2;
  const code = segment.codePointAt(0) ?? 0;
  return WIDE.some(([first, last]) => code >= first && code <= last) ? 2 : 1;
}
