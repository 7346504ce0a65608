import { describe, expect, it } from 'vitest';
import { attributeNames } from '../../src/conventions/attribute-names.ts';
import { firstCount, firstText, isTrue, text } from '../../src/conventions/attributes.ts';
import { MAX_ATTRIBUTE_LENGTH } from '../../src/support/meaningful.ts';

describe('text', () => {
  it('is trimmed', () => {
    expect(text({ a: '  x ' }, 'a')).toBe('x');
  });

  it.each([undefined, null, 7, '', '  ', 'unknown', 'Unknown', '<not specified>', 'N/A', ['x'], { x: 1 }])(
    'is missing for %j',
    (value) => {
      expect(text({ a: value }, 'a')).toBeUndefined();
    },
  );

  it('is read as far as any attribute is', () => {
    expect(text({ a: 'x'.repeat(100_000) }, 'a')).toHaveLength(MAX_ATTRIBUTE_LENGTH);
  });

  it('is taken from the first place that has it', () => {
    expect(firstText({ a: '', b: 'x', c: 'y' }, 'a', 'b', 'c')).toBe('x');
  });
});

describe('counts', () => {
  it.each<[unknown, number | undefined]>([
    [0, 0],
    [120, 120],
    ['120', 120],
    [120n, 120],
    [1.5, undefined],
    [-1, undefined],
    ['-1', undefined],
    ['1e3', undefined],
    ['', undefined],
    [2n ** 64n, undefined],
    [NaN, undefined],
    [true, undefined],
  ])('of %s', (value, count) => {
    expect(firstCount({ a: value }, 'a')).toBe(count);
  });
});

it('booleans may be text', () => {
  expect([true, 'true', false, 'false', 1, undefined].map((value) => isTrue({ a: value }, 'a'))).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
});

describe('the attributes a source decodes', () => {
  const names = attributeNames([{ attributes: ['a', 'b.*'] }, { attributes: ['c.*.name', '*.kind'] }], ['d']);

  it.each(['a', 'b.', 'b.x.y', 'c.0.name', 'c..name', 'x.kind', '.kind', 'd'])('%s is wanted', (key) => {
    expect(names.wants(key)).toBe(true);
  });

  it.each(['', 'A', 'aa', 'b', 'c.name', 'c.0.names', 'kind', '*'])('%j is not', (key) => {
    expect(names.wants(key)).toBe(false);
  });
});
