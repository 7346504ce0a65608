import { diag } from '@opentelemetry/api';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PlanReader } from '../src/plan-reader.ts';
import { MemoryPlanStore } from '../src/store/memory-plan-store.ts';
import { type StoredPlan, StoreError } from '../src/store/plan-store.ts';
import { change } from './store/changes.ts';
import { ManualClock } from './support/manual-clock.ts';

const MAX_AGE = 30_000;
const RETRY = 1_000;

/** A memory store each of whose reads ends when the test says so, with what stood in it when the read began. */
class HeldStore extends MemoryPlanStore {
  readonly reads: { readonly agentId: string; answer(): void; fail(): void }[] = [];

  override async load(agentId: string): Promise<StoredPlan | undefined> {
    const stored = await super.load(agentId);
    return new Promise((resolve, reject) => {
      this.reads.push({
        agentId,
        answer: () => resolve(stored),
        fail: () => reject(new StoreError('unavailable', 'away')),
      });
    });
  }
}

let store: HeldStore;
let clock: ManualClock;
let reader: PlanReader;

beforeEach(() => {
  store = new HeldStore();
  clock = new ManualClock();
  reader = new PlanReader({ store, clock, maxAgeMillis: MAX_AGE, maxCachedAgents: 2 });
});
afterEach(() => reader.close());

/** Lets all that can go on go on. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Asks, and ends the reads that this begins. */
async function ask(agentId: string, how: 'answer' | 'fail' = 'answer'): Promise<number | undefined> {
  const before = store.reads.length;
  const asked = reader.get(agentId);
  asked.catch(() => {});
  await settle();
  for (const read of store.reads.slice(before)) read[how]();
  return (await asked)?.parallel_groups.length;
}

const teach = (agentId: string, ...names: readonly string[]) =>
  store.apply(agentId, [change(crypto.randomUUID(), [names])]);

describe('a read that ends after a later one has begun', () => {
  it('does not take away what the later one found, where it fails', async () => {
    const first = reader.get('planner').catch((error) => error.code);
    await settle();
    await teach('planner', 'a', 'b');
    const second = reader.get('planner');
    await settle();
    store.reads[0]?.fail();
    expect(await first).toBe('unavailable');
    store.reads[1]?.answer();
    expect((await second)?.parallel_groups).toHaveLength(1);
    expect(await ask('planner')).toBe(1);
    expect(store.reads).toHaveLength(2);
  });

  it('does not stand for it where both fail: the next who asks has the store asked again', async () => {
    const first = reader.get('planner').catch((error) => error.code);
    await settle();
    await teach('planner', 'a', 'b');
    const second = reader.get('planner').catch((error) => error.code);
    await settle();
    for (const read of store.reads) read.fail();
    expect([await first, await second]).toEqual(['unavailable', 'unavailable']);
    expect(await ask('planner')).toBe(1);
  });

  it('does not replace it with what is older', async () => {
    await teach('planner', 'a', 'b');
    await ask('planner');
    clock.advance(MAX_AGE);
    await reader.get('planner');
    await settle();
    const [, refresh] = store.reads;
    clock.advance(2 * MAX_AGE);
    await ask('planner');
    await teach('planner', 'c', 'd');
    await ask('planner');
    refresh?.answer();
    await settle();
    expect(await ask('planner')).toBe(2);
  });
});

describe('a reader that keeps two plans', () => {
  it('lets the one go that was read longest ago', async () => {
    await ask('a');
    await ask('b');
    await teach('a', 'x', 'y');
    await ask('a');
    await ask('c');
    const before = store.reads.length;
    await ask('a');
    await ask('c');
    expect(store.reads).toHaveLength(before);
    await ask('b');
    expect(store.reads).toHaveLength(before + 1);
  });

  it('keeps none once it is closed, as it hears of no change any more', async () => {
    await ask('planner');
    await reader.close();
    await teach('planner', 'a', 'b');
    expect(await ask('planner')).toBe(1);
  });
});

describe('an outage', () => {
  it('is told of once, as is its end', async () => {
    const told: string[] = [];
    const note = (message: string) => told.push(message);
    const ignore = vi.fn();
    diag.setLogger({ error: note, warn: note, info: note, debug: ignore, verbose: ignore });
    told.length = 0;
    await ask('planner');
    for (let outages = 0; outages < 2; outages++) {
      clock.advance(MAX_AGE);
      for (const how of ['fail', 'fail', 'answer', 'answer'] as const) {
        clock.advance(RETRY);
        await ask('planner', how);
        await settle();
      }
    }
    diag.disable();
    const once = [
      'spanplan: plans cannot be read; the last known ones are served',
      'spanplan: plans can be read again',
    ];
    expect(told).toEqual([...once, ...once]);
  });
});
