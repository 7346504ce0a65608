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
