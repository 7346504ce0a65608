import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type JsonMember, scanJson } from '../../src/conventions/scan-json.ts';

function membersOf(json: string): JsonMember[] {
  const members: JsonMember[] = [];
  scanJson(json, (member) => members.push(member));
  return members;
}

const namesOf = (json: string) => membersOf(json).map(({ key, value, depth }) => `${depth} ${key}=${value}`);

describe('scanJson', () => {
  it('reports string members with their depth', () => {
    expect(namesOf('{"a":"x","b":{"c":"y"},"d":[{"e":"z"}],"f":"w"}')).toEqual([
      '1 a=x',
      '2 c=y',
      '3 e=z',
      '1 f=w',
    ]);
  });

  it('tells objects apart and under which key they stand', () => {
    const [first, second, third] = membersOf('{"list":[{"a":"1","b":"2"},{"a":"3"}]}');
    expect(first).toMatchObject({ object: second?.object, objectKey: 'list' });
    expect(third?.object).not.toBe(first?.object);
  });

  it('passes over other values, strings in lists, and long strings', () => {
    expect(namesOf(`{"a":1,"b":[true,"x"],"c":null,"long":"${'y'.repeat(2_000)}","d":"z"}`)).toEqual([
      '1 d=z',
    ]);
  });

  it('reads escapes, and is not fooled by what is quoted', () => {
    expect(namesOf('{"a":"{\\"name\\":\\"Bob\\"}\\\\","n\\u0061me":"caf\\u00e9"}')).toEqual([
      '1 a={"name":"Bob"}\\',
      '1 name=café',
    ]);
  });

  it('reads white space', () => {
    expect(namesOf('{ "a" : "x" ,\n "b":\t"y" }')).toEqual(['1 a=x', '1 b=y']);
  });

  it('finds what JSON.parse finds, in any document', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (json) => {
        const found = membersOf(json).map(({ key, value }): [string, string] => [key, value]);
        // JSON.parse puts keys that are numbers first
        expect(found.sort()).toEqual(stringMembers(JSON.parse(json)).sort());
      }),
    );
  });

  it('walks a document cut anywhere, and any other text, and never reports more than the whole has', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), fc.nat(), (json, at) => {
        const whole = namesOf(json);
        const part = namesOf(json.slice(0, at % (json.length + 1)));
        expect(whole.slice(0, part.length)).toEqual(part);
      }),
    );
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void membersOf(text)));
  });

  it('stops in what nests too deep', () => {
    expect(namesOf(`${'['.repeat(100_000)}{"a":"x"}`)).toEqual([]);
  });
});

function stringMembers(value: unknown): [string, string][] {
  if (Array.isArray(value)) return value.flatMap(stringMembers);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]): [string, string][] =>
    typeof member === 'string' ? [[key, member]] : stringMembers(member),
  );
}
