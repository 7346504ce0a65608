import { describe, expect, it, vi } from 'vitest';
import { MemoryPlanStore } from '../../src/store/memory-plan-store.ts';
import {
  type ApplyOutcome,
  type RunChange,
  StoreError,
  type StoreErrorCode,
} from '../../src/store/plan-store.ts';
import { WriteQueue } from '../../src/store/write-queue.ts';
import type { WriteOutcome, WriteQueueOptions } from '../../src/store/write-queue-options.ts';
import { change } from './changes.ts';
import { sleep, until } from './contract.ts';

/** A memory store that can be told to fail or to wait, and notes what it is asked to write. */
class TroubledStore extends MemoryPlanStore {
  readonly writes: (readonly [agentId: string, runIds: readonly string[], revisions: readonly number[]])[] =
    [];
  trouble: ((agentId: string) => StoreErrorCode | 'bug' | undefined) | undefined;
  gate: Promise<unknown> | undefined;
  inFlight = 0;
  mostInFlight = 0;

  override async apply(agentId: string, changes: readonly RunChange[]): Promise<ApplyOutcome> {
    this.writes.push([agentId, changes.map((c) => c.runId), changes.map((c) => c.revision)]);
    this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight);
    try {
      await this.gate;
      const code = this.trouble?.(agentId);
      if (code === 'bug') throw new TypeError('a bug');
      if (code !== undefined) throw new StoreError(code, `told to fail with ${code}`);
      return await super.apply(agentId, changes);
    } finally {
      this.inFlight--;
    }
  }
}

function setUp(options: WriteQueueOptions<string> = {}) {
  const store = new TroubledStore();
  const settled: [string, WriteOutcome][] = [];
  const failures: string[] = [];
  const queue = new WriteQueue<string>(store, {
    minRetryMillis: 1,
    maxRetryMillis: 10,
    observer: {
      settled: (_, outcome, token) => settled.push([token, outcome]),
      failed: (_, code) => failures.push(code),
    },
    ...options,
  });
  const enqueue = (agentId: string, runId: string, revision = 1) =>
    queue.enqueue(
      agentId,
      change(runId, [['a', 'b']], { revision, agentId }),
      `${agentId}/${runId}#${revision}`,
    );
  return { store, queue, settled, failures, enqueue };
}

function gate(): { readonly promise: Promise<void>; open(): void } {
  let open = () => {};
  const promise = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { promise, open: () => open() };
}

describe('WriteQueue', () => {
  it('writes, and tells of each change how it ended', async () => {
    const { queue, settled, enqueue, store } = setUp();
    enqueue('a', 'r1');
    expect(queue.size).toBe(1);
    expect(queue.bytes).toBeGreaterThan(0);
    await queue.drain(1_000);
    enqueue('a', 'r1');
    enqueue('b', 'r1');
    await queue.drain(1_000);
    expect(settled).toEqual([
      ['a/r1#1', 'learned'],
      ['a/r1#1', 'duplicate'],
      ['b/r1#1', 'learned'],
    ]);
    expect([queue.size, queue.bytes]).toEqual([0, 0]);
    expect(await store.agents()).toEqual(['a', 'b']);
  });

  it('merges what waits for an agent into one write, of bounded size', async () => {
    const { queue, store, enqueue } = setUp({ maxBatchRuns: 3 });
    const held = gate();
    store.gate = held.promise;
    for (const id of ['r1', 'r2', 'r3', 'r4', 'r5']) enqueue('a', id);
    held.open();
    await queue.drain(1_000);
    expect(store.writes.map(([, runIds]) => runIds)).toEqual([['r1'], ['r2', 'r3', 'r4'], ['r5']]);
  });

  it('has one write in flight for an agent and a bounded number in all', async () => {
    const { queue, store, enqueue } = setUp({ maxAgentsInFlight: 3 });
    store.gate = sleep(10);
    for (let i = 0; i < 30; i++) enqueue(`agent${i % 10}`, `r${i}`);
    await queue.drain(2_000);
    expect(store.mostInFlight).toBe(3);
    expect(queue.size).toBe(0);
  });

  it('sends only the last of several revisions that wait; all of them end alike', async () => {
    const { queue, store, settled, enqueue } = setUp();
    const held = gate();
    store.gate = held.promise;
    enqueue('a', 'first');
    for (const revision of [1, 3, 2]) enqueue('a', 'r1', revision);
    held.open();
    await queue.drain(1_000);
    expect(store.writes[1]).toEqual(['a', ['r1'], [3]]);
    expect(settled.slice(1)).toEqual([
      ['a/r1#1', 'learned'],
      ['a/r1#3', 'learned'],
      ['a/r1#2', 'learned'],
    ]);
    expect(queue.bytes).toBe(0);
  });

  it('keeps a later revision that comes while an earlier one fails', async () => {
    const { queue, store, settled, enqueue } = setUp();
    const held = gate();
    store.gate = held.promise;
    store.trouble = () => 'conflict';
    enqueue('a', 'r1', 1);
    enqueue('a', 'r1', 2);
    enqueue('a', 'r2', 1);
    held.open();
    await until(() => store.writes.length > 1);
    store.trouble = undefined;
    await queue.drain(1_000);
    expect(store.writes.at(-1)).toEqual(['a', ['r1', 'r2'], [2, 1]]);
    expect(settled.map(([token]) => token).sort()).toEqual(['a/r1#1', 'a/r1#2', 'a/r2#1']);
    expect([queue.size, queue.bytes]).toEqual([0, 0]);
  });

  it('waits out an outage with one try at a time, and loses nothing', async () => {
    const { queue, store, settled, failures, enqueue } = setUp();
    store.trouble = () => 'unavailable';
    for (let i = 0; i < 50; i++) enqueue(`agent${i}`, 'r');
    await until(() => failures.length >= 12);
    expect(settled).toEqual([]);
    store.mostInFlight = 0;
    const tried = store.writes.length;
    await until(() => store.writes.length > tried + 3);
    expect(store.mostInFlight).toBe(1);
    store.trouble = undefined;
    await until(() => queue.size === 0);
    expect(settled.map(([, outcome]) => outcome)).toEqual(Array(50).fill('learned'));
    expect(await store.agents()).toHaveLength(50);
  });

  it.each(['corrupt_plan', 'conflict', 'bug'] as const)(
    'does not let one agent hold up the others: %s',
    async (code) => {
      const { queue, store, settled, failures, enqueue } = setUp({ maxAgentsInFlight: 1 });
      store.trouble = (agentId) => (agentId === 'bad' ? code : undefined);
      enqueue('bad', 'r1');
      for (let i = 0; i < 20; i++) enqueue(`agent${i}`, 'r');
      await until(() => settled.length === 20);
      expect(queue.size).toBe(1);
      await until(() => failures.length > 2);
      expect(new Set(failures)).toEqual(new Set([code === 'bug' ? 'error' : code]));
      store.trouble = undefined;
      await until(() => queue.size === 0);
      expect(settled.at(-1)).toEqual(['bad/r1#1', 'learned']);
    },
  );

  it('does not make a drain wait for a plan that someone must repair', async () => {
    const { queue, store, settled, enqueue } = setUp();
    store.trouble = (agentId) => (agentId === 'bad' ? 'corrupt_plan' : undefined);
    enqueue('bad', 'r1');
    enqueue('good', 'r1');
    const finished = queue.drain(60_000).then(() => 'drained');
    await expect(Promise.race([finished, sleep(5_000)])).resolves.toBe('drained');
    expect(settled).toEqual([['good/r1#1', 'learned']]);
    expect(queue.size).toBe(1);
    await queue.close(1);
  });

  it('makes it wait for the others', async () => {
    const { queue, store, settled, enqueue } = setUp({ minRetryMillis: 60_000, maxRetryMillis: 60_000 });
    store.trouble = (agentId) => (agentId === 'bad' ? 'corrupt_plan' : undefined);
    enqueue('bad', 'r1');
    await queue.drain(60_000);
    const held = gate();
    store.gate = held.promise;
    enqueue('good', 'r1');
    let drained = 0;
    const first = queue.drain(60_000).then(() => drained++);
    enqueue('better', 'r1');
    const second = queue.drain(60_000).then(() => drained++);
    await sleep(20);
    expect(drained).toBe(0);
    held.open();
    await Promise.race([Promise.all([first, second]), sleep(5_000)]);
    expect([drained, settled.length, queue.size]).toEqual([2, 2, 1]);
  });

  it('drops the runs of an agent that the store refuses', async () => {
    const { queue, store, settled, enqueue } = setUp();
    store.trouble = (agentId) => (agentId === 'new' ? 'agent_limit' : undefined);
    enqueue('new', 'r1');
    enqueue('old', 'r1');
    await queue.drain(1_000);
    expect(settled).toContainEqual(['new/r1#1', { dropped: 'agent_limit' }]);
    expect(settled).toContainEqual(['old/r1#1', 'learned']);
  });

  it('takes an outage for over where the store refuses an agent', async () => {
    const { store, queue, failures, enqueue } = setUp({ minRetryMillis: 20, maxQueuedRuns: 4 });
    store.trouble = () => (failures.length === 0 ? 'unavailable' : 'agent_limit');
    enqueue('a', 'r');
    await until(() => failures.length === 2);
    const held = gate();
    store.gate = held.promise;
    enqueue('b', 'r1');
    enqueue('b', 'r2');
    expect(queue.isBehind).toBe(true);
    held.open();
    await queue.drain(1_000);
  });

  it('drops the oldest that wait when it is over its bound in runs', async () => {
    const { queue, store, settled, enqueue } = setUp({ maxQueuedRuns: 3 });
    const held = gate();
    store.gate = held.promise;
    for (const id of ['r1', 'r2', 'r3', 'r4', 'r5']) enqueue('a', id);
    expect(queue.size).toBe(3);
    // r1 is being written and so stays.
    expect(settled).toEqual([
      ['a/r2#1', { dropped: 'queue_full' }],
      ['a/r3#1', { dropped: 'queue_full' }],
    ]);
    held.open();
    await queue.drain(1_000);
    expect(settled.slice(2).map(([token]) => token)).toEqual(['a/r1#1', 'a/r4#1', 'a/r5#1']);
  });

  it('and in bytes', async () => {
    const { queue, store, enqueue } = setUp({ maxQueuedBytes: 20_000 });
    store.trouble = () => 'unavailable';
    for (let i = 0; i < 1_000; i++) enqueue(`agent${i % 7}`, `r${i}`);
    expect(queue.bytes).toBeLessThanOrEqual(20_000);
    expect(queue.size).toBeGreaterThan(1);
    store.trouble = undefined;
    await until(() => queue.size === 0);
    expect(queue.bytes).toBe(0);
  });

  it('is neither behind nor full while what fills it waits for plans that cannot be written', async () => {
    const { queue, store, failures, enqueue } = setUp({
      maxQueuedRuns: 8,
      minRetryMillis: 60_000,
      maxRetryMillis: 60_000,
    });
    const state = () => [queue.isBehind, queue.isFull()];
    store.trouble = (agentId) => (agentId.startsWith('bad') ? 'corrupt_plan' : undefined);
    for (const agentId of ['bad1', 'bad2', 'bad3']) enqueue(agentId, 'r1');
    await until(() => failures.length === 3);
    const held = gate();
    store.gate = held.promise;
    for (const agentId of ['good1', 'good2', 'good3']) enqueue(agentId, 'r1');
    expect(state()).toEqual([false, false]);
    enqueue('good4', 'r1');
    expect(state()).toEqual([true, true]);
    enqueue('bad1', 'r2');
    expect(state()).toEqual([false, false]);
    held.open();
    store.trouble = undefined;
    await queue.drain(1_000);
    store.gate = new Promise(() => undefined);
    for (let i = 0; i < 6; i++) enqueue('bad1', `s${i}`);
    expect(state()).toEqual([true, true]);
  });

  describe('tells whoever can hold back', () => {
    const slow = { minRetryMillis: 60_000, maxRetryMillis: 60_000 };
    const fill = (enqueue: (agentId: string, runId: string) => void, agentId: string, count: number) => {
      for (let n = 0; n < count; n++) enqueue(agentId, `${agentId}${n}`);
    };

    it('that it is behind from half of its bounds on, and full from three quarters on', () => {
      const { queue, store, enqueue } = setUp({ maxQueuedRuns: 8 });
      store.gate = new Promise(() => {});
      fill(enqueue, 'a', 3);
      expect([queue.isBehind, queue.isFull()]).toEqual([false, false]);
      expect([queue.isFull(2), queue.isFull(3)]).toEqual([false, true]);
      enqueue('a', 'fourth');
      expect([queue.isBehind, queue.isFull()]).toEqual([true, false]);
      fill(enqueue, 'b', 2);
      expect(queue.isFull()).toBe(true);
    });

    it('the same of its bound in bytes', () => {
      const { queue: measured, store: idle, enqueue: measure } = setUp();
      idle.gate = new Promise(() => {});
      measure('a', 'a0');
      const { queue, store, enqueue } = setUp({ maxQueuedBytes: 8 * measured.bytes });
      store.gate = new Promise(() => {});
      fill(enqueue, 'a', 3);
      expect([queue.isBehind, queue.isFull()]).toEqual([false, false]);
      fill(enqueue, 'b', 3);
      expect([queue.isBehind, queue.isFull()]).toEqual([true, true]);
    });

    it('that it is full, not that it is behind, while the store is away', async () => {
      const { queue, store, failures, enqueue } = setUp({ ...slow, maxQueuedRuns: 8 });
      store.trouble = () => 'unavailable';
      fill(enqueue, 'a', 7);
      await until(() => failures.length === 1);
      expect([queue.isBehind, queue.isFull()]).toEqual([false, true]);
      await queue.close(1);
    });

    it('neither while half of it waits for an agent whose plan cannot be written, until the store goes away', async () => {
      const { queue, store, failures, enqueue } = setUp({ ...slow, maxQueuedRuns: 10 });
      store.trouble = (agentId) => (agentId === 'a' ? 'corrupt_plan' : 'unavailable');
      fill(enqueue, 'a', 4);
      await until(() => failures.length === 1);
      const held = gate();
      store.gate = held.promise;
      fill(enqueue, 'b', 4);
      expect([queue.isBehind, queue.isFull()]).toEqual([false, false]);
      enqueue('b', 'one more');
      expect([queue.isBehind, queue.isFull()]).toEqual([true, true]);
      enqueue('a', 'another');
      expect([queue.isBehind, queue.isFull()]).toEqual([false, false]);
      held.open();
      await until(() => failures.length === 2);
      expect([queue.isBehind, queue.isFull()]).toEqual([false, true]);
      await queue.close(1);
    });
  });

  it('drains by a deadline, trying again at once what waits for a retry', async () => {
    const { queue, store, settled, enqueue } = setUp({ minRetryMillis: 60_000, maxRetryMillis: 60_000 });
    store.trouble = () => 'unavailable';
    enqueue('a', 'r1');
    await until(() => store.inFlight === 0 && store.writes.length === 1);
    const started = performance.now();
    await queue.drain(50);
    expect(performance.now() - started).toBeGreaterThan(40);
    expect(store.writes).toHaveLength(2);
    expect(queue.size).toBe(1);
    store.trouble = undefined;
    await queue.drain(60_000);
    expect(settled).toEqual([['a/r1#1', 'learned']]);
  });

  it('drains what was there, however much comes after', async () => {
    const { queue, store, settled, enqueue } = setUp();
    let running = true;
    store.gate = sleep(1);
    enqueue('a', 'first');
    const busy = (async () => {
      for (let i = 0; running; i++) {
        enqueue('b', `r${i}`);
        await sleep(0);
      }
    })();
    await queue.drain(2_000);
    expect(settled[0]).toEqual(['a/first#1', 'learned']);
    running = false;
    await busy;
  });

  it('drops what is left at close, even what hangs, and what comes after', async () => {
    const { queue, store, settled, enqueue } = setUp();
    store.gate = new Promise(() => undefined);
    enqueue('a', 'r1');
    enqueue('a', 'r2');
    await Promise.all([queue.close(30), queue.close(30)]);
    enqueue('a', 'r3');
    expect(settled.sort()).toEqual([
      ['a/r1#1', { dropped: 'shutdown' }],
      ['a/r2#1', { dropped: 'shutdown' }],
      ['a/r3#1', { dropped: 'shutdown' }],
    ]);
    expect([queue.size, queue.bytes]).toEqual([0, 0]);
  });

  it('drops what a closed store cannot take', async () => {
    const { queue, store, settled, enqueue } = setUp();
    await store.close();
    enqueue('a', 'r1');
    await queue.drain(1_000);
    expect(settled).toEqual([['a/r1#1', { dropped: 'shutdown' }]]);
  });

  it('survives an observer that throws', async () => {
    const settled = vi.fn(() => {
      throw new Error('observer');
    });
    const queue = new WriteQueue(new MemoryPlanStore(), { observer: { settled } });
    for (const id of ['r1', 'r2']) queue.enqueue('a', change(id, []), undefined);
    await queue.drain(1_000);
    expect(settled).toHaveBeenCalledTimes(2);
    expect(queue.size).toBe(0);
  });

  it('accounts for every change exactly once, whatever goes wrong', async () => {
    const { queue, store, settled, enqueue } = setUp({ maxQueuedRuns: 40, maxBatchRuns: 5 });
    let seed = 7;
    const random = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const codes = [
      'unavailable',
      'conflict',
      'corrupt_plan',
      'agent_limit',
      'bug',
      undefined,
      undefined,
    ] as const;
    store.trouble = () => codes[Math.floor(random() * codes.length)];
    for (let i = 0; i < 600; i++) {
      enqueue(`agent${i % 9}`, `r${Math.floor(random() * 200)}`, 1 + Math.floor(random() * 3));
      if (i % 10 === 0) await sleep(1);
      expect(settled.length + queue.size).toBeLessThanOrEqual(i + 1);
    }
    await queue.close(100);
    expect(settled).toHaveLength(600);
    expect([queue.size, queue.bytes]).toEqual([0, 0]);
  });

  it.each([{ maxQueuedRuns: 0 }, { maxBatchRuns: 1.5 }, { maxRetryMillis: Number.NaN }])(
    'refuses %o',
    (options) => {
      expect(() => new WriteQueue(new MemoryPlanStore(), options)).toThrow(RangeError);
    },
  );
});
