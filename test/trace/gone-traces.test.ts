import { expect, it } from 'vitest';
import { GoneTraces } from '../../src/trace/gone-traces.ts';

it('remembers the 10,000 traces that left last, and takes others for new', () => {
  const gone = new GoneTraces();
  gone.add('first', 2, 10);
  gone.add('second', 0, 20);
  gone.add('first', 3, 30);
  for (let n = 0; n < 9_999; n++) gone.add(`t${n}`, 0, 40);
  expect([gone.nextSegment('first'), gone.lastArrival('first')]).toEqual([3, 30]);
  expect([gone.nextSegment('second'), gone.lastArrival('second')]).toEqual([1, undefined]);
  gone.add('last', 0, 50);
  expect(gone.nextSegment('first')).toBe(1);
  expect(gone.nextSegment('last')).toBe(0);
});
