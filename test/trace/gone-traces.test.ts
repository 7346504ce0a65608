import { expect, it } from 'vitest';
import { GoneTraces } from '../../src/trace/gone-traces.ts';

it('remembers the 10,000 traces that left last, forgets those before the last 20,000, and takes others for new', () => {
  const gone = new GoneTraces();
  gone.add('first', 2, 10);
  gone.add('second', 0, 20);
  gone.add('first', 3, 30);
  for (let n = 0; n < 9_999; n++) gone.add(`t${n}`, 0, 40);
  expect([gone.nextSegment('first'), gone.lastArrival('first')]).toEqual([3, 30]);
  expect([gone.nextSegment('second'), gone.lastArrival('second')]).toEqual([0, 20]);
  for (let n = 9_999; n < 20_000; n++) gone.add(`t${n}`, 0, 40);
  expect([gone.nextSegment('first'), gone.lastArrival('first')]).toEqual([1, undefined]);
  expect([gone.nextSegment('t9999'), gone.nextSegment('t19999'), gone.nextSegment('t20000')]).toEqual([
    0, 0, 1,
  ]);
});

it('goes by the last time that a trace left', () => {
  const gone = new GoneTraces();
  gone.add('again', 2, 10);
  for (let n = 0; n < 10_000; n++) gone.add(`t${n}`, 0, 40);
  gone.add('again', 0, 50);
  expect([gone.nextSegment('again'), gone.lastArrival('again')]).toEqual([0, 50]);
});
