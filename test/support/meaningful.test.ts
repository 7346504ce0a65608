import fc from 'fast-check';
import { expect, it } from 'vitest';
import { meaningful } from '../../src/support/meaningful.ts';

const PLACEHOLDERS = ['', 'unknown', '<not specified>', 'n/a', 'none', 'null', 'undefined'];
const space = fc.stringMatching(/^[ \t\n]{0,3}$/);
/** In letters of either case. */
const placeholder = fc
  .tuple(fc.constantFrom(...PLACEHOLDERS), fc.nat())
  .map(([text, cases]) =>
    [...text].map((at, index) => ((cases >> index) & 1 ? at.toUpperCase() : at)).join(''),
  );

it('says nothing where a text is a placeholder, in whatever case and between whatever space', () => {
  fc.assert(
    fc.property(space, placeholder, space, (before, text, after) => {
      expect(meaningful(before + text + after)).toBeUndefined();
    }),
  );
});

it('is the text without the space around it where it is none', () => {
  const near = fc
    .tuple(placeholder, fc.string({ minLength: 1, maxLength: 2 }))
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(space, fc.oneof(fc.string({ unit: 'binary' }), near), space, (before, text, after) => {
      const trimmed = text.trim();
      fc.pre(!PLACEHOLDERS.includes(trimmed.toLowerCase()));
      expect(meaningful(before + text + after)).toBe(trimmed);
    }),
  );
});
