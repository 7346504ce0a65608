import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RetryWait } from '../../src/store/retry-wait.ts';
import { type HeldUp, type WriteItem, WriteLane } from '../../src/store/write-lane.ts';
import { change } from './changes.ts';

function laneWith(...runIds: readonly string[]) {
  const heldUp: HeldUp = { runs: 0 };
  const lane = new WriteLane<string>('agent', heldUp);
  let sequence = 0;
  const add = (runId: string, revision = 1, bytes = 10) =>
    lane.add({ change: change(runId, [], { revision }), token: `${runId}#${revision}` }, bytes, sequence++);
  for (const runId of runIds) add(runId);
  return { lane, heldUp, add };
}

function retry(): RetryWait {
  return new RetryWait({ minRetryMillis: 60_000, maxRetryMillis: 60_000 }, () => undefined);
}

function runIdsOf(items: readonly WriteItem<string>[]): readonly string[] {
  return items.map((item) => item.change.runId);
}

describe('WriteLane', () => {
  it('gives its oldest runs first, so many at once', () => {
    const { lane } = laneWith('r1', 'r2', 'r3');
    expect(runIdsOf(lane.take(2))).toEqual(['r1', 'r2']);
    expect(runIdsOf(lane.take(2))).toEqual(['r3']);
    expect(lane.isEmpty).toBe(true);
  });

  it('takes a batch back before what came in the meantime, joined with later revisions of it', () => {
    const { lane, add } = laneWith('r1', 'r2');
    const batch = lane.take(2);
    add('r3');
    const later = add('r2', 2, 7);
    expect(lane.putBack(batch)).toEqual([later]);
    const again = lane.take(9);
    expect(runIdsOf(again)).toEqual(['r1', 'r2', 'r3']);
    expect(again[1]).toMatchObject({ change: { revision: 2 }, bytes: 17 });
    expect(again[1]?.entries.map(({ token }) => token)).toEqual(['r2#1', 'r2#2']);
  });

  it('is not ready while it is written, waits for a retry, or is empty; stuck only where its plan is corrupt', () => {
    const { lane } = laneWith('r1');
    expect([lane.isReady, laneWith().lane.isReady]).toEqual([true, false]);
    lane.isBusy = true;
    expect(lane.isReady).toBe(false);
    lane.isBusy = false;
    const wait = retry();
    lane.holdUp(wait);
    wait.begin();
    expect([lane.isReady, lane.isStuck]).toEqual([false, false]);
    lane.isCorrupt = true;
    expect(lane.isStuck).toBe(true);
    wait.cutShort();
    expect([lane.isReady, lane.isStuck]).toEqual([true, false]);
  });

  it('counts what waits while a failure holds it up, whatever happens to it', () => {
    const run = fc.nat(5).map((n) => `r${n}`);
    const step = fc.oneof(
      run.map((runId) => ({ kind: 'add' as const, runId })),
      run.map((runId) => ({ kind: 'drop' as const, runId })),
      fc.nat(4).map((atMost) => ({ kind: 'take' as const, atMost })),
      fc.constantFrom(
        { kind: 'putBack' as const },
        { kind: 'holdUp' as const },
        { kind: 'release' as const },
        { kind: 'end' as const },
      ),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { lane, heldUp, add } = laneWith();
        const waiting = new Map<string, WriteItem<string>>();
        let batch: readonly WriteItem<string>[] = [];
        const others = 3;
        heldUp.runs = others;
        for (const next of steps) {
          if (next.kind === 'add') waiting.set(next.runId, add(next.runId));
          if (next.kind === 'drop') {
            const item = waiting.get(next.runId);
            if (item !== undefined) lane.drop(item);
            waiting.delete(next.runId);
          }
          if (next.kind === 'take' && batch.length === 0) {
            batch = lane.take(next.atMost);
            for (const runId of runIdsOf(batch)) waiting.delete(runId);
          }
          if (next.kind === 'putBack') {
            lane.putBack(batch);
            for (const item of batch) waiting.set(item.change.runId, item);
            batch = [];
          }
          if (next.kind === 'holdUp' && lane.retry === undefined) lane.holdUp(retry());
          if (next.kind === 'release') lane.release();
          if (next.kind === 'end') {
            lane.end();
            waiting.clear();
          }
          expect(lane.isEmpty).toBe(waiting.size === 0);
          expect(heldUp.runs - others).toBe(lane.retry === undefined ? 0 : waiting.size);
        }
      }),
    );
  });
});
