import { describe, expect, it } from 'vitest';
import { kindOf, messageOf } from '../../src/support/told-error.ts';

const boom = () => {
  throw new Error('secret');
};
const hostile = Object.defineProperties(new Error('secret'), { name: { get: boom }, message: { get: boom } });

describe('what is told of an error', () => {
  it.each([
    ['an error', new RangeError('too far'), 'RangeError', 'too far'],
    ['a text', 'too far', 'string', 'too far'],
    ['nothing', undefined, 'undefined', 'undefined'],
    ['an object without a text', Object.create(null), 'object', 'an error that cannot be told'],
    ['an error that throws', hostile, 'an error that cannot be told', 'an error that cannot be told'],
    ['a message that is no text', Object.assign(new Error(''), { message: 7 }), 'Error', '7'],
  ])('is a text whatever was thrown: %s', (_, error, kind, message) => {
    expect([kindOf(error), messageOf(error)]).toEqual([kind, message]);
  });
});
