import { describe, expect, it } from 'vitest';
import { LearningLine } from '../src/learning-line.ts';
import type { ReleasedTrace } from '../src/trace/trace-buffer.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));
const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis));

/** A line with what was learned, and a store that is as it is told to be. */
function lineOf({ holds = false } = {}) {
  const learned: number[] = [];
  const store = { isBehind: false, fullFrom: Number.POSITIVE_INFINITY };
  const backlog = {
    get isBehind() {
      return store.isBehind;
    },
    isFull: (outside = 0) => outside >= store.fullFrom,
  };
  const line = new LearningLine((trace) => learned.push(trace.segment), backlog, holds);
  let sent = 0;
  const push = (count: number, waits = false, spans = 1) => {
    const all: Partial<ReleasedTrace> = { spanCount: spans };
    for (let n = 0; n < count; n++) line.push({ ...all, segment: sent++ } as ReleasedTrace, waits);
  };
  return { line, learned, store, push };
}

describe('a finished trace', () => {
  it('is learned at once where it is one of the first 32 of a batch, and later in its turn else', async () => {
    const { line, learned, push } = lineOf();
    line.beginBatch();
    push(100);
    expect(learned).toHaveLength(32);
    for (let turns = 0; turns < 4; turns++) await turn();
    expect(learned).toEqual(Array.from({ length: 100 }, (_, n) => n));
  });

  it('is learned later where it, or those before it, are large', async () => {
    const { line, learned, push } = lineOf();
    line.beginBatch();
    push(10, false, 1_000);
    expect(learned).toHaveLength(4);
    await turn();
    expect(learned).toHaveLength(8);
    line.beginBatch();
    push(1, true, 20_000);
    push(1, true, 20_000);
    for (const expected of [11, 12]) {
      await turn();
      expect(learned).toHaveLength(expected);
    }
  });

  it('waits where it was not to be learned now', async () => {
    const { line, learned, push } = lineOf();
    line.beginBatch();
    push(3, true);
    expect(learned).toEqual([]);
    await line.drain(performance.now() + 1_000);
    expect(learned).toHaveLength(3);
  });

  it('waits while the store is behind, and goes on once it has caught up', async () => {
    const { line, learned, store, push } = lineOf();
    store.isBehind = true;
    line.beginBatch();
    push(3);
    await pause(20);
    expect(learned).toEqual([]);
    store.isBehind = false;
    await pause(50);
    expect(learned).toEqual([0, 1, 2]);
  });

  it('waits no longer where 2,000 do, unless its source is held back', () => {
    for (const holds of [false, true]) {
      const { learned, store, push } = lineOf({ holds });
      store.isBehind = true;
      push(2_100);
      expect(learned).toHaveLength(holds ? 0 : 100);
    }
  });

  it('of a source that is held back waits for a store that is full, too', () => {
    for (const holds of [false, true]) {
      const { line, learned, store, push } = lineOf({ holds });
      store.fullFrom = 0;
      line.beginBatch();
      push(3);
      expect(learned).toHaveLength(holds ? 0 : 3);
    }
  });
});

describe('the line', () => {
  it('is full where the store is with the traces that wait, however many they are', () => {
    const { line, store, push } = lineOf({ holds: true });
    store.isBehind = true;
    push(7_000);
    expect(line.isFull).toBe(false);
    store.fullFrom = 7_001;
    expect(line.isFull).toBe(false);
    push(1);
    expect(line.isFull).toBe(true);
  });

  it('is full with more than 100,000 spans, and waits no longer with 200,000', async () => {
    const { line, learned, store, push } = lineOf();
    store.isBehind = true;
    push(10, false, 10_000);
    expect(line.isFull).toBe(false);
    push(1, false, 1);
    expect(line.isFull).toBe(true);
    push(10, false, 10_000);
    expect(learned).toEqual([0]);
    store.isBehind = false;
    await line.drain(performance.now() + 1_000);
    expect(learned).toHaveLength(21);
    expect(line.isFull).toBe(false);
  });

  it('makes room for a large one by as many small ones as it takes', () => {
    const { learned, store, push } = lineOf();
    store.isBehind = true;
    push(1_000, true, 1);
    push(1, true, 198_998);
    expect(learned).toEqual([]);
    push(1, false, 10);
    expect(learned).toHaveLength(8);
    push(1, false, 20_000);
    expect(learned).toHaveLength(40);
  });

  it('is learned a while later where there was no time for it', async () => {
    const { line, learned, store, push } = lineOf();
    store.isBehind = true;
    push(3, true);
    await line.drain(performance.now());
    expect(learned).toEqual([]);
    store.isBehind = false;
    await pause(20);
    expect(learned).toEqual([0, 1, 2]);
  });

  it('is drained no faster than the store takes it, and no longer than there is time', async () => {
    const { line, learned, store, push } = lineOf();
    push(3, true);
    store.isBehind = true;
    await line.drain(performance.now() + 30);
    expect(learned).toEqual([]);
    expect(line.takeRest().map(({ segment }) => segment)).toEqual([0, 1, 2]);
    expect(line.takeRest()).toEqual([]);
  });
});
