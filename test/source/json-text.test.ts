import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findJsonFault } from '../../src/source/otlp/json-fault.ts';
import { parseJson } from '../../src/source/otlp/json-text.ts';

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** JSON texts with a few characters changed, most of which are JSON no more. */
const nearJson = fc
  .tuple(
    fc.json(),
    fc.array(fc.tuple(fc.nat(), fc.constantFrom(...'{}[]",:\\0-.eE+ntu\n\u0001 \u00e4x')), { maxLength: 3 }),
  )
  .map(([text, edits]) =>
    edits.reduce((current, [at, char]) => {
      const place = at % (current.length + 1);
      return current.slice(0, place) + char + current.slice(place + (at % 2));
    }, text),
  );

describe('findJsonFault', () => {
  it('finds a fault exactly where JSON.parse does', () => {
    fc.assert(
      fc.property(nearJson, (text) => {
        expect(findJsonFault(text) === undefined).toBe(isJson(text));
      }),
      { numRuns: 3_000 },
    );
  });

  it('names the place up to which the text could have become JSON, or the start of the token that stands there', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), (text, cut) => {
        const prefix = text.slice(0, cut % text.length);
        const fault = findJsonFault(`${prefix}\u0001`);
        expect(prefix.slice(fault?.offset ?? 0)).toMatch(/^(\\u?[0-9a-f]{0,3}|[-+.\w]*)$/i);
      }),
      { examples: [['{"a":1}', 5]] },
    );
  });

  it.each([
    ['{"a":}', 5, 'a value'],
    ['{"a" 1}', 5, '":"'],
    ['{a:1}', 1, 'a name in double quotes'],
    ['{"a":1,}', 7, 'a name in double quotes'],
    ['[1,]', 3, 'a value'],
    ['[1 2]', 3, '"," or "]"'],
    ['{"a":1', 6, '"," or "}"'],
    ['{"a":"b', 7, 'the end of a string'],
    ['"a\nb"', 2, 'no control character in a string'],
    ['"\\x"', 1, 'a valid escape'],
    ['{} {}', 3, 'the end'],
    ['01', 1, 'the end'],
  ])('%j fails at %i, where %s should stand', (text, offset, expected) => {
    expect(findJsonFault(text)).toEqual({ offset, expected });
  });
});

describe('parseJson', () => {
  it('gives what JSON.parse gives where no number is long', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        fc.pre(!/\d{10}|[eE]/.test(text));
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('keeps every digit of a long integer, wherever it stands', () => {
    const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n });
    const space = fc.constantFrom('', ' ', '\n\t');
    fc.assert(
      fc.property(int64, fc.string(), space, (number, text, gap) => {
        const json = `{${gap}"${number}":[${gap}${number}${gap},${JSON.stringify(text)},${number}]${gap},"x":${gap}${number}${gap}}`;
        const parsed = parseJson(json) as { [key: string]: unknown; x: unknown };
        const list = parsed[String(number)] as unknown[];
        expect([
          BigInt(list[0] as string),
          list[1],
          BigInt(list[2] as string),
          BigInt(parsed.x as string),
        ]).toEqual([number, text, number, number]);
      }),
    );
  });

  it.each([
    '{1795354563298730797:1}',
    '[01795354563298730797]',
    '[1795354563298730797x]',
    '[+1795354563298730797]',
    '[--1795354563298730797]',
    '[1795354563298730797 1]',
  ])('makes no JSON of %s', (text) => {
    expect(() => parseJson(text)).toThrow(/^expected .* \(byte \d+\)$/);
  });

  it('leaves long numbers numbers where asked to', () => {
    const text = '[1795354563298730797,1.2345678901234567e-7]';
    expect(parseJson(text, 'rounded')).toEqual(JSON.parse(text));
  });
});
