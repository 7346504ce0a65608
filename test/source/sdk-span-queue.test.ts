import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SdkSpan } from '../../src/source/sdk-span.ts';
import { SdkSpanQueue } from '../../src/source/sdk-span-queue.ts';

const spanOf = (n: number): SdkSpan => ({
  name: `span ${n}`,
  kind: 0,
  spanContext: () => ({ traceId: 'trace', spanId: `${n}` }),
  startTime: [1, 0],
  endTime: [2, 0],
  ended: true,
  status: { code: 0 },
  attributes: { number: n },
  resource: { attributes: {} },
});
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A queue with what came out of it. */
function queueOf() {
  const seen: string[] = [];
  let batches = 0;
  let whenBegun = () => {};
  const queue = new SdkSpanQueue(
    {
      begin: () => {
        batches++;
        whenBegun();
      },
      started: ({ name }) => seen.push(`+${name}`),
      ended: ({ name }) => seen.push(`-${name}`),
    },
    () => 0,
  );
  return { queue, seen, batches: () => batches, atBegin: (work: () => void) => (whenBegun = work) };
}

describe('SdkSpanQueue', () => {
  it('does nothing within the turn in which spans start and end', async () => {
    const { queue, seen } = queueOf();
    queue.start(spanOf(1));
    queue.end(spanOf(1));
    expect(seen).toEqual([]);
    await turn();
    expect(seen).toEqual(['+span 1', '-span 1']);
  });

  it('tells of a span that ended before anything else happened as ended only', () => {
    const { queue, seen } = queueOf();
    const [parent, child, other] = [spanOf(1), spanOf(2), spanOf(3)];
    queue.start(parent);
    queue.start(child);
    queue.end(child);
    queue.start(other);
    queue.end(parent);
    queue.end(other);
    queue.drain();
    expect(seen).toEqual(['+span 1', '-span 2', '+span 3', '-span 1', '-span 3']);
  });

  it('hands over spans that throw where they are looked at, and those beside them', () => {
    const { queue, seen } = queueOf();
    const bad = { ...spanOf(2), spanContext: () => expect.fail('looked at') };
    for (const span of [spanOf(1), bad, spanOf(3)]) queue.end(span);
    queue.drain();
    expect(seen).toEqual(['-span 1', '-span 2', '-span 3']);
  });

  it('tells of each end of a span that ends more than once', () => {
    const { queue, seen } = queueOf();
    const span = spanOf(1);
    queue.start(span);
    queue.end(span);
    queue.end(span);
    queue.drain();
    queue.end(span);
    queue.drain();
    expect(seen).toEqual(['-span 1', '-span 1', '-span 1']);
  });

  it('tells of a start that was handed over before its end came', () => {
    const { queue, seen } = queueOf();
    const span = spanOf(1);
    queue.start(span);
    queue.drain();
    queue.end(span);
    queue.drain();
    expect(seen).toEqual(['+span 1', '-span 1']);
  });

  it('hands over everything once, in order, whatever the size of bursts and wherever it is drained', async () => {
    const step = fc.oneof(fc.integer({ min: 1, max: 3_000 }), fc.constantFrom('drain', 'turn'));
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        const { queue, seen } = queueOf();
        const sent: string[] = [];
        for (const next of steps) {
          if (next === 'drain') queue.drain();
          else if (next === 'turn') await turn();
          else {
            for (let n = 0; n < next; n++) {
              const isEnd = n % 3 === 0;
              const span = spanOf(sent.length);
              sent.push(`${isEnd ? '-' : '+'}${span.name}`);
              if (isEnd) queue.end(span);
              else queue.start(span);
            }
          }
        }
        queue.drain();
        expect(seen).toEqual(sent);
      }),
      { numRuns: 30 },
    );
  });

  it('takes a burst in as it grows, so that little is held', () => {
    const { queue, seen } = queueOf();
    for (let n = 0; n < 100_000; n++) {
      queue.start(spanOf(n));
      expect(n - seen.length).toBeLessThan(1_024);
    }
  });

  it('hands over what starts meanwhile after what was there', () => {
    const { queue, seen, atBegin, batches } = queueOf();
    atBegin(() => batches() === 1 && queue.start(spanOf(2)));
    queue.start(spanOf(1));
    queue.drain();
    expect(seen).toEqual(['+span 1']);
    queue.drain();
    expect(seen).toEqual(['+span 1', '+span 2']);
  });

  it('tells the sink once for each batch', () => {
    const { queue, batches } = queueOf();
    for (let n = 0; n < 10; n++) queue.start(spanOf(n));
    queue.drain();
    queue.drain();
    expect(batches()).toBe(1);
  });
});
