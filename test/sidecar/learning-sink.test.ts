import { describe, expect, test } from 'vitest';
import { Pipeline } from '../../src/pipeline.ts';
import { PlanReader } from '../../src/plan-reader.ts';
import { LearningSink } from '../../src/sidecar/learning-sink.ts';
import { MemoryPlanStore } from '../../src/store/memory-plan-store.ts';

/** A sink with room for 100 KB. */
function sinkFor(...names: readonly (string | undefined)[]): LearningSink {
  const tenants = names.map((name) => {
    const store = new MemoryPlanStore();
    const pipeline = new Pipeline(store, { clock: undefined });
    return [name, { store, pipeline, reader: new PlanReader({ store }) }] as const;
  });
  return new LearningSink(100_000, new Map(tenants), undefined);
}

const traces = (tenant?: string) => ({ signal: 'traces', tenant }) as const;

describe('room', () => {
  test('is all for the only tenant there is', () => {
    const sink = sinkFor(undefined);
    const giveBack = sink.admit(60_000, traces());
    expect(sink.admit(40_001, traces())).toBeUndefined();
    expect(sink.admit(40_000, traces())).toBeDefined();
    expect(sink.isFull).toBe(true);
    giveBack?.();
    giveBack?.();
    expect([sink.bytes, sink.isFull]).toEqual([40_000, false]);
  });

  test('is left to the others by each of several tenants', () => {
    const sink = sinkFor('a', 'b', 'c');
    const take = (tenant: string) => {
      let taken = 0;
      while (sink.admit(1_000, traces(tenant)) !== undefined) taken += 1_000;
      return taken;
    };
    expect([take('a'), sink.isFull]).toEqual([50_000, false]);
    expect([take('b'), take('c'), sink.isFull]).toEqual([25_000, 12_000, true]);
  });

  test('comes to be the same for tenants that all want more than there is', () => {
    const sink = sinkFor('a', 'b', 'c');
    const held = ['a', 'b', 'c'].map((name) => ({ name, rooms: [] as (() => void)[] }));
    for (let round = 0; round < 500; round++) {
      for (const { name, rooms } of held) {
        rooms.shift()?.();
        for (let room = sink.admit(1_000, traces(name)); room; room = sink.admit(1_000, traces(name)))
          rooms.push(room);
      }
    }
    for (const { rooms } of held) expect(rooms.length).toBeGreaterThanOrEqual(20);
  });
});
