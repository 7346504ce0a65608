import { expect, it } from 'vitest';
import { memoised } from '../../src/model/memo.ts';

it('remembers what was made, and starts anew where that is too much', () => {
  const made: string[] = [];
  const lengthOf = memoised(2, (key) => made.push(key) && key.length);
  for (const key of ['a', 'bb', 'a', 'bb', 'ccc', 'ccc']) expect(lengthOf(key)).toBe(key.length);
  expect(made).toEqual(['a', 'bb', 'ccc']);
  lengthOf('a');
  expect(made).toEqual(['a', 'bb', 'ccc', 'a']);
});
