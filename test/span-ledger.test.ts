import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TraceLesson } from '../src/run-changes.ts';
import { SpanLedger } from '../src/span-ledger.ts';
import type { ApplyOutcome } from '../src/store/plan-store.ts';
import type { ReleasedTrace } from '../src/trace/trace-buffer.ts';
import { captureWarnings } from './support/captured-warnings.ts';

const OUTCOME: ApplyOutcome = {
  applied: 1,
  duplicates: 0,
  duplicateRunIds: [],
  groupsAdded: 0,
  groupsRemoved: 0,
  groupsCompacted: 0,
  groupsEvicted: 0,
  revision: 1,
  conflicts: 0,
};

const ledgerOf = () => new SpanLedger(() => ({ traces: 0, keptTraces: 0, spans: 0, bytes: 0 }));

let warnings: ReturnType<typeof captureWarnings>;
beforeEach(() => {
  warnings = captureWarnings();
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  warnings.stop();
  vi.useRealTimers();
});

describe('the account of spans', () => {
  it('takes those of a run that came out as before for learned, and those of no run for ignored', () => {
    const ledger = ledgerOf();
    const trace = { freshCount: 5, revision: 2, reason: 'flush' } as ReleasedTrace;
    const lesson: TraceLesson = { writes: [], unchangedSpans: 3, ignoredSpans: 2, cohortsDropped: 0 };
    ledger.released(trace);
    ledger.assembled(lesson);
    expect(ledger.account).toMatchObject({ awaiting: 0, learned: 3, ignored: 2 });
    ledger.close();
  });
});

describe('the counts', () => {
  it('know of spans that were recognised only', () => {
    const ledger = ledgerOf();
    ledger.recognised({ role: 'none', rule: 'none' });
    ledger.recognised({ role: 'tool', rule: 'test.tool' });
    expect(ledger.total('recognised')).toBe(1);
    ledger.close();
  });

  it('know of writes what became of groups, how often others came first, and what failed', () => {
    const ledger = ledgerOf();
    const outcome = { ...OUTCOME, groupsAdded: 7, conflicts: 2 };
    ledger.wrote('planner', { ...outcome, groupsRemoved: 1, groupsCompacted: 10, groupsEvicted: 100 }, 1);
    ledger.failed('planner', 'unavailable');
    expect(ledger.total('writes')).toBe(1);
    expect(ledger.total('groupsAdded')).toBe(7);
    expect(ledger.total('groupsRemoved')).toBe(111);
    expect(ledger.total('conflicts')).toBe(2);
    expect(ledger.total('failures')).toBe(1);
    ledger.close();
  });
});

describe('a warning', () => {
  const evict = (ledger: SpanLedger, agentId: string) =>
    ledger.wrote(agentId, { ...OUTCOME, groupsEvicted: 1 }, 1);

  it('comes for each agent whose plan is full, once in ten minutes', () => {
    const ledger = ledgerOf();
    ledger.wrote('planner', OUTCOME, 1);
    expect(warnings.lines).toEqual([]);
    for (const agentId of ['planner', 'planner', 'writer']) evict(ledger, agentId);
    expect(warnings.lines).toEqual([
      expect.stringContaining('"planner" is full'),
      expect.stringContaining('"writer" is full'),
    ]);
    vi.advanceTimersByTime(599_999);
    evict(ledger, 'planner');
    expect(warnings.lines).toHaveLength(2);
    vi.advanceTimersByTime(1);
    evict(ledger, 'planner');
    expect(warnings.lines).toHaveLength(3);
    ledger.close();
  });

  it('is remembered of 1,000 things at most; of more nothing is told', () => {
    const ledger = ledgerOf();
    for (let n = 0; n < 1_100; n++) evict(ledger, `agent ${n}`);
    expect(warnings.lines).toHaveLength(1_000);
    ledger.close();
  });
});
