import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MemoryPlanStore } from '../../src/store/memory-plan-store.ts';
import {
  type ApplyOutcome,
  type RunChange,
  StoreError,
  type StoreErrorCode,
} from '../../src/store/plan-store.ts';
import { WriteQueue } from '../../src/store/write-queue.ts';
import {
  resolveWriteQueueBounds,
  type WriteOutcome,
  type WriteQueueOptions,
} from '../../src/store/write-queue-options.ts';
import { WriteSchedule } from '../../src/store/write-schedule.ts';
import { captureWarnings } from '../support/captured-warnings.ts';
import { change } from './changes.ts';

type Answer = StoreErrorCode | undefined;

/** A memory store that fails as it is told to, and notes what it is asked to write, and when. */
class AnsweringStore extends MemoryPlanStore {
  readonly writes: string[] = [];
  readonly times: number[] = [];
  readonly #started = Date.now();
  answer: (agentId: string) => Answer | Promise<Answer> = () => undefined;

  override async apply(agentId: string, changes: readonly RunChange[]): Promise<ApplyOutcome> {
    this.writes.push(...changes.map(({ runId }) => `${agentId}/${runId}`));
    this.times.push(Date.now() - this.#started);
    const code = await this.answer(agentId);
    if (code !== undefined) throw new StoreError(code, `told to fail with ${code}`);
    return super.apply(agentId, changes);
  }
}

let warnings: ReturnType<typeof captureWarnings>;

beforeEach(() => {
  vi.useFakeTimers();
  // Half of the longest wait, always.
  vi.spyOn(Math, 'random').mockReturnValue(0);
  warnings = captureWarnings();
});
afterEach(() => {
  warnings.stop();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function setUp(options: WriteQueueOptions<string> = {}) {
  const store = new AnsweringStore();
  const settled: (readonly [string, WriteOutcome])[] = [];
  const queue = new WriteQueue<string>(store, {
    minRetryMillis: 100,
    maxRetryMillis: 1_000,
    observer: { settled: (_, outcome, token) => settled.push([token, outcome]) },
    ...options,
  });
  const enqueue = (agentId: string, ...runIds: readonly string[]) => {
    for (const runId of runIds)
      queue.enqueue(agentId, change(runId, [['a', 'b']], { agentId }), `${agentId}/${runId}`);
  };
  return { store, queue, settled, enqueue };
}

/** Lets all that is under way come to rest. */
const pass = (millis = 0) => vi.advanceTimersByTimeAsync(millis);

function held() {
  let release: (answer: Answer) => void = () => {};
  const promise = new Promise<Answer>((resolve) => {
    release = resolve;
  });
  return { promise, release: (answer: Answer) => release(answer) };
}

describe('a write that fails', () => {
  it.each(['unavailable', 'conflict'] as const)(
    'is tried again after longer and longer waits, and told of once: %s',
    async (code) => {
      const { store, enqueue } = setUp();
      store.answer = () => code;
      enqueue('a', 'r1');
      await pass(2_000);
      expect(store.times).toEqual([0, 100, 300, 700, 1_200, 1_700]);
      expect(warnings.lines).toHaveLength(1);
    },
  );

  it('makes all wait once where several under way find the store away', async () => {
    const { store, enqueue } = setUp();
    store.answer = () => 'unavailable';
    for (const agentId of ['a', 'b', 'c']) enqueue(agentId, 'r1');
    await pass();
    expect(vi.getTimerCount()).toBe(1);
    await pass(100);
    expect(store.times).toEqual([0, 0, 0, 100]);
  });

  it('makes nobody wait any more where the store answers that it has too many agents', async () => {
    const { store, queue, settled, enqueue } = setUp({ maxQueuedRuns: 2 });
    store.answer = () => 'unavailable';
    enqueue('new', 'r1');
    await pass();
    store.answer = () => 'agent_limit';
    await pass(100);
    expect(settled).toEqual([['new/r1', { dropped: 'agent_limit' }]]);
    store.answer = () => held().promise;
    enqueue('a', 'r1');
    expect(queue.isBehind).toBe(true);
  });

  it('may be dropped for newer runs like any other that waits', async () => {
    const { store, queue, settled, enqueue } = setUp({ maxQueuedRuns: 2 });
    store.answer = () => 'unavailable';
    enqueue('a', 'r1');
    await pass();
    enqueue('a', 'r2', 'r3');
    expect(settled).toEqual([['a/r1', { dropped: 'queue_full' }]]);
    expect(queue.size).toBe(2);
  });

  it('leaves no timer behind where it is dropped', async () => {
    const { store, enqueue } = setUp({ maxQueuedRuns: 1 });
    store.answer = (agentId) => (agentId === 'a' ? 'conflict' : held().promise);
    enqueue('a', 'r1');
    await pass();
    expect(vi.getTimerCount()).toBe(1);
    enqueue('b', 'r1');
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('an agent whose waiting runs were all dropped', () => {
  it('still has one write at a time', async () => {
    const { store, enqueue } = setUp({ maxQueuedRuns: 2 });
    const first = held();
    store.answer = (agentId) => (agentId === 'a' ? first.promise : undefined);
    enqueue('a', 'r1', 'r2');
    enqueue('b', 'r1');
    await pass();
    enqueue('a', 'r3');
    await pass();
    expect(store.writes).toEqual(['a/r1', 'b/r1']);
    first.release(undefined);
    await pass();
    expect(store.writes).toEqual(['a/r1', 'b/r1', 'a/r3']);
  });
});

describe('a queue that drops', () => {
  it('says so once, and again when it has been relieved in between', async () => {
    const { store, queue, enqueue } = setUp({ maxQueuedRuns: 4 });
    for (const expected of [1, 2]) {
      const { promise, release } = held();
      store.answer = () => promise;
      enqueue('a', ...Array.from({ length: 10 }, (_, i) => `r${expected}-${i}`));
      expect(warnings.lines).toHaveLength(expected);
      release(undefined);
      await pass();
      expect(queue.size).toBe(0);
    }
  });
});

describe('a closed queue', () => {
  it('never writes again what waited for a retry', async () => {
    const { store, queue, enqueue } = setUp();
    store.answer = () => 'conflict';
    enqueue('a', 'r1');
    await pass();
    const closing = queue.close(10);
    await pass(10);
    await closing;
    const tries = store.writes.length;
    expect(vi.getTimerCount()).toBe(0);
    await pass(10_000);
    expect(store.writes).toHaveLength(tries);
  });

  it.each(['unavailable', 'conflict', undefined] as const)(
    'does nothing about a write that ends after all: %s',
    async (answer) => {
      const { store, queue, settled, enqueue } = setUp();
      const late = held();
      store.answer = () => late.promise;
      enqueue('a', 'r1');
      const closing = queue.close(10);
      await pass(10);
      await closing;
      late.release(answer);
      await pass();
      expect(settled).toEqual([['a/r1', { dropped: 'shutdown' }]]);
      expect([queue.size, queue.bytes, vi.getTimerCount(), warnings.lines]).toEqual([0, 0, 0, []]);
      await pass(10_000);
      expect(store.writes).toEqual(['a/r1']);
    },
  );
});

describe('WriteSchedule', () => {
  it('keeps nothing of an agent all of whose runs are written', () => {
    const schedule = new WriteSchedule<string>(resolveWriteQueueBounds({}), { runs: 0 }, (lane) => {
      lane.take(1);
    });
    const lane = schedule.laneOf('a');
    lane.add({ change: change('r1', []), token: '' }, 1, 0);
    schedule.filled(lane);
    expect(schedule.laneOf('a')).toBe(lane);
    schedule.finished(lane);
    expect(schedule.laneOf('a')).not.toBe(lane);
  });
});
