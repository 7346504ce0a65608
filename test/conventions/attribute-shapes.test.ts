import fc from 'fast-check';
import { expect, it } from 'vitest';
import { AttributeShapes } from '../../src/conventions/attribute-shapes.ts';

const shapes = () => new AttributeShapes((key) => (key.startsWith('gen_ai.') ? [1] : []));

it('tells the same of the same keys in the same order', () => {
  const known = shapes();
  const first = known.of({ 'http.route': '/', 'gen_ai.tool.name': 'a' });
  expect(first.readers).toEqual([1]);
  expect(known.of({ 'http.route': '/x', 'gen_ai.tool.name': 'b' })).toBe(first);
  expect(known.of({ 'gen_ai.tool.name': 'b', 'http.route': '/x' })).not.toBe(first);
  expect(known.of({}).readers).toEqual([]);
});

it('takes an empty key for one like others', () => {
  const known = shapes();
  expect(known.of({ '': 1 })).not.toBe(known.of({}));
  expect(known.of({ '': 1, 'gen_ai.tool.name': 'b' })).not.toBe(known.of({ 'gen_ai.tool.name': 'b' }));
});

it('remembers nothing of shapes of which a single span came, nor of those that nobody reads', () => {
  const known = shapes();
  const spans = [
    { 'gen_ai.tool.name': 'a' },
    { 'gen_ai.tool.name': 'a', 'http.route': '/' },
    { 'http.route': '/' },
  ];
  for (const attributes of spans) expect(known.of(attributes).memo).toBeUndefined();
  expect(spans.map((attributes) => known.of(attributes).memo !== undefined)).toEqual([true, true, false]);
});

it('goes on remembering where keys are without end', () => {
  const known = shapes();
  for (let key = 0; key < 25_000; key++) expect(known.of({ [`header.${key}`]: 1 }).readers).toEqual([]);
  const first = known.of({ 'http.route': '/', 'gen_ai.tool.name': 'a' });
  expect(known.of({ 'http.route': '/', 'gen_ai.tool.name': 'a' })).toBe(first);
  expect(first.memo).toBeDefined();
});

it('tells the same of a span whatever came before it', () => {
  // Few keys, so that many sequences begin alike, and two that go on for longer than those that are compared as a whole.
  const key = fc.constantFrom('a', 'b', 'gen_ai.c', 'gen_ai.d');
  const long = Array.from({ length: 70 }, (_, at) => `${at % 7 === 0 ? 'gen_ai' : 'http'}.${at}`);
  const keys = fc.oneof(
    { weight: 8, arbitrary: fc.uniqueArray(key, { maxLength: 4 }) },
    fc.constantFrom(long, [...long, 'a']),
  );
  const spans = fc.array(keys, { size: 'large', maxLength: 200 });
  fc.assert(
    fc.property(spans, (given) => {
      const known = new AttributeShapes((name) => (name.startsWith('gen_ai.') ? [name.length] : []));
      const shapeOf = new Map<string, unknown>();
      for (const sequence of given) {
        const shape = known.of(Object.fromEntries(sequence.map((name) => [name, 1])));
        const readers = sequence.filter((name) => name.startsWith('gen_ai.')).map((name) => name.length);
        expect(shape.readers).toEqual([...new Set(readers)].sort((a, b) => a - b));
        const place = sequence.join();
        expect(shape).toBe(shapeOf.get(place) ?? shape);
        shapeOf.set(place, shape);
      }
      expect(new Set(shapeOf.values()).size).toBe(shapeOf.size);
    }),
  );
});

it('tells what attributes inherit as their own', () => {
  const known = shapes();
  const inherited = () =>
    Object.create({ 'gen_ai.tool.name': 'a' }, { 'http.route': { value: '/', enumerable: true } });
  for (let time = 0; time < 4; time++) {
    expect(known.of(inherited()).readers).toEqual([1]);
    expect(known.of({ 'http.route': '/' }).readers).toEqual([]);
  }
});

it('tells nothing wrong of others where an object lists other keys each time', () => {
  const known = shapes();
  let times = 0;
  const odd = new Proxy(
    {},
    {
      ownKeys: () => [times++ % 3 < 2 ? 'x' : 'gen_ai.tool.name'],
      getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true, value: 1 }),
    },
  );
  for (let time = 0; time < 12; time++) {
    known.of(odd);
    expect(known.of({ 'gen_ai.tool.name': 'a' }).readers).toEqual([1]);
  }
});
