import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonScan } from '../../src/source/otlp/json-scan.ts';
import { MalformedBodyError } from '../../src/source/otlp/malformed-body-error.ts';

function isTaken(text: string, stepBytes = 1_000): boolean {
  const scan = new JsonScan(Buffer.from(text));
  try {
    while (!scan.step(stepBytes));
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(MalformedBodyError);
    return false;
  }
}

/** What JSON.parse makes an object of. */
function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

describe('a scan', () => {
  it.each([
    '{}',
    ' \t\r\n{ } \n',
    '{"":[]}',
    '{"a":{"a":[{},[],""]},"b":[1,-0,0.5,1e9,-1.25E-7,10E+2]}',
    String.raw`{"\"\\\/\b\f\n\r\t\u00e9\uABCD":"é\u0000 ]}"}`,
    '{"a":[true,false,null , true],"a":null}',
    '\ufeff{"__proto__":1}',
  ])('takes %j', (text) => {
    for (const stepBytes of [1, 3, 1_000]) expect(isTaken(text, stepBytes)).toBe(true);
  });

  it.each([
    '',
    ' ',
    '[]',
    '"a"',
    '1',
    'null',
    '{}{}',
    '{},',
    '{',
    '}',
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    '{,}',
    '{"a":[1,]}',
    '{"a":[,1]}',
    '{"a":[1 2]}',
    '{"a":[}',
    '{"a":{]}',
    '{"a":1]}',
    '{"a"::1}',
    '{a:1}',
    "{'a':1}",
    '{1:1}',
    '{"a":01}',
    '{"a":1.}',
    '{"a":.5}',
    '{"a":+1}',
    '{"a":-}',
    '{"a":1e}',
    '{"a":1e+}',
    '{"a":0x1}',
    '{"a":NaN}',
    '{"a":tru}',
    '{"a":truee}',
    '{"a":nul',
    '{"a":"',
    String.raw`{"a":"\x"}`,
    String.raw`{"a":"\u12g4"}`,
    String.raw`{"a":"\u123"}`,
    '{"a":"\n"}',
    '{"a":"\0"}',
    '{\u00a0}',
    '\ufeff\ufeff{}',
    '{"a":1}\u0000',
  ])('refuses %j', (text) => {
    for (const stepBytes of [1, 3, 1_000]) expect(isTaken(text, stepBytes)).toBe(false);
  });

  it('takes what JSON.parse makes an object of, whatever the steps', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.nat(3),
        fc.integer({ min: 1, max: 40 }),
        (value, indent, stepBytes) => {
          expect(isTaken(JSON.stringify(value, undefined, indent), stepBytes)).toBe(true);
        },
      ),
    );
  });

  it('judges damaged JSON as JSON.parse does', () => {
    const damaged = fc
      .tuple(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.nat(),
        fc.constantFrom(...'{}[]",:\\ \n019-+.eEtfnu', ''),
      )
      .map(([value, at, byte]) => {
        const text = JSON.stringify(value);
        const cut = at % text.length;
        return text.slice(0, cut) + byte + text.slice(cut + 1);
      });
    fc.assert(
      fc.property(damaged, (text) => {
        expect(isTaken(text)).toBe(isJsonObject(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes 1,000 levels and no more', () => {
    const nested = (levels: number) => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
    expect([isTaken(nested(1_000)), isTaken(nested(1_001))]).toEqual([true, false]);
  });

  it('says where it is wrong, and nothing of what stands there', () => {
    const scan = (text: string) => () => new JsonScan(Buffer.from(text)).step(100);
    expect(scan('{"é":secret}')).toThrow(/^expected JSON \(byte 6\)$/);
    expect(scan('{"a":1')).toThrow(/^expected more JSON \(byte 6\)$/);
  });
});

describe('what it says', () => {
  it.each(['[]', ' [{}]', '"a"', '-1', 'null', '\ufeff[]'])(
    'of another value than an object, %j: that it expected one',
    (text) => {
      const scan = new JsonScan(Buffer.from(text));
      expect(() => scan.step(1_000)).toThrow('expected the request to be an object');
    },
  );

  it.each(['{[]', 'x', '{}[]', '}'])('of what is no JSON, %j: just that', (text) => {
    const scan = new JsonScan(Buffer.from(text));
    expect(() => scan.step(1_000)).toThrow('expected JSON');
  });
});
