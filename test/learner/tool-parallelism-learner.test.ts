import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ToolParallelismLearner,
  type ToolParallelismLearnerOptions,
} from '../../src/learner/tool-parallelism-learner.ts';
import { isContained } from '../../src/model/cohort.ts';
import type { RunRecord } from '../../src/model/run-record.ts';
import { compareUtf8 } from '../../src/model/utf8.ts';
import { type CallSpec, runRecordOf } from '../support/calls.ts';

function cohortsOf(run: RunRecord, options: ToolParallelismLearnerOptions = {}) {
  return new ToolParallelismLearner(options).learn(run).cohorts.map(({ names }) => names);
}

const bySize = (sets: readonly (readonly string[])[]) => sets.map((names) => names.join('|')).sort();

describe('a cohort', () => {
  it('is a call and those that run when it starts', () => {
    const calls = [
      { name: 'a', from: 0, to: 10 },
      { name: 'b', from: 5, to: 20 },
      { name: 'c', from: 12, to: 30 },
    ];
    expect(cohortsOf(runRecordOf(calls))).toEqual([
      ['a', 'b'],
      ['b', 'c'],
    ]);
  });

  it('is a multiset', () => {
    const calls = ['x', 'x', 'x'].map((name, n) => ({ name, from: n, to: 10 }));
    expect(cohortsOf(runRecordOf(calls))).toEqual([
      ['x', 'x'],
      ['x', 'x', 'x'],
    ]);
  });

  it('is not what merely touches', () => {
    const calls = [
      { name: 'a', from: 0, to: 10 },
      { name: 'b', from: 10, to: 20 },
    ];
    expect(cohortsOf(runRecordOf(calls))).toEqual([]);
  });

  it('holds the call that starts, however short it is, at its own start only', () => {
    const calls = [
      { name: 'a', from: 0, to: 10 },
      { name: 'blink', from: 5, to: 5 },
      { name: 'b', from: 5, to: 9 },
    ];
    expect(cohortsOf(runRecordOf(calls))).toEqual([
      ['a', 'blink'],
      ['a', 'b'],
    ]);
  });

  it('holds neither model calls nor calls without an end', () => {
    const calls: CallSpec[] = [
      { name: 'a', from: 0, to: 10 },
      { name: 'm', from: 1, to: 10, kind: 'llm' },
      { name: 'open', from: 2 },
      { name: 'b', from: 3, to: 10 },
    ];
    expect(cohortsOf(runRecordOf(calls))).toEqual([['a', 'b']]);
  });

  it('lies within one scope', () => {
    const calls = ['1', '2', '1'].map((scope, n) => ({ name: `${scope}${n}`, from: n, to: 10, scope }));
    expect(cohortsOf(runRecordOf(calls))).toEqual([['10', '12']]);
  });

  it('of two processes overlaps by the wider margin', () => {
    const calls = (overlap: number) => [
      { name: 'a', from: 0, to: 100, resource: 'one' },
      { name: 'b', from: 100 - overlap, to: 200, resource: 'two' },
      { name: 'c', from: 190, to: 300, resource: 'two' },
    ];
    const margins = { minOverlapMillis: 2, crossResourceOverlapMillis: 50 };
    expect(cohortsOf(runRecordOf(calls(50), margins))).toEqual([['b', 'c']]);
    expect(cohortsOf(runRecordOf(calls(51), margins))).toEqual([
      ['b', 'c'],
      ['a', 'b'],
    ]);
  });
});

const anyRun = fc
  .record({
    calls: fc.array(
      fc.record({
        name: fc.constantFrom('a', 'b', 'c', '\u{1f600}', '\uff5e'),
        from: fc.integer({ min: 0, max: 20 }),
        length: fc.integer({ min: 0, max: 12 }),
        scope: fc.constantFrom(undefined, undefined, '1'),
        resource: fc.constantFrom(undefined, undefined, 'other'),
      }),
      { maxLength: 9 },
    ),
    minOverlapMillis: fc.constantFrom(0, 2),
    crossResourceOverlapMillis: fc.constantFrom(0, 5),
  })
  .map(({ calls, ...margins }) =>
    runRecordOf(
      calls.map(({ length, ...call }) => ({ ...call, to: call.from + length })),
      margins,
    ),
  );

/** The rule in its plainest reading: which earlier calls are still running, by the margin, when this one starts? */
function everyCohort(run: RunRecord): readonly (readonly string[])[] {
  const millis = ([seconds, nanos]: readonly [number, number]) => seconds * 1_000 + nanos / 1e6;
  const calls = [...run.calls].sort((a, b) => millis(a.startedAt) - millis(b.startedAt));
  const found = new Map<string, readonly string[]>();
  for (const scope of new Set(calls.map((call) => call.scope))) {
    const inScope = calls.filter((call) => call.scope === scope);
    const processes = [...new Set(inScope.map((call) => call.resource))];
    const wide = Math.max(run.minOverlapMillis ?? 0, run.crossResourceOverlapMillis ?? 0);
    const lanes = processes.map((process) => ({
      calls: inScope.filter((call) => call.resource === process),
      margin: run.minOverlapMillis ?? 0,
    }));
    if (processes.length > 1) lanes.push({ calls: inScope, margin: wide });
    for (const lane of lanes) {
      for (const [index, call] of lane.calls.entries()) {
        const running = lane.calls
          .slice(0, index)
          .filter((other) => other.endedAt && millis(other.endedAt) - millis(call.startedAt) > lane.margin);
        const names = [...running, call].map(({ name }) => name).sort(compareUtf8);
        if (names.length > 1) found.set(names.join('|'), names);
      }
    }
  }
  return [...found.values()];
}

describe('of any run', () => {
  it("'every' gives a cohort for each call that starts while others run", () => {
    fc.assert(
      fc.property(anyRun, (run) => {
        expect(cohortsOf(run)).toHaveLength(everyCohort(run).length);
        expect(bySize(cohortsOf(run))).toEqual(bySize(everyCohort(run)));
      }),
      { numRuns: 1_000 },
    );
  });

  it("'maximal' gives those of them that no other contains", () => {
    fc.assert(
      fc.property(anyRun, (run) => {
        const every = everyCohort(run);
        const maximal = every.filter(
          (names) => !every.some((other) => other.length > names.length && isContained(names, other)),
        );
        expect(bySize(cohortsOf(run, { cohorts: 'maximal' }))).toEqual(bySize(maximal));
      }),
      { numRuns: 1_000 },
    );
  });

  it('every earlier call of a cohort runs on past the start of a later one by what their clocks demand', () => {
    fc.assert(
      fc.property(anyRun, (run) => {
        const calls = run.calls.map((call, index) => ({ ...call, name: String(index) }));
        for (const names of cohortsOf({ ...run, calls })) {
          const members = names.flatMap((name) => calls[Number(name)] ?? []);
          for (const a of members) {
            for (const b of members) {
              if (a === b || !a.endedAt || !b.endedAt) continue;
              const isFirst =
                a.startedAt[1] < b.startedAt[1] ||
                (a.startedAt[1] === b.startedAt[1] && calls.indexOf(a) < calls.indexOf(b));
              const margin =
                a.resource === b.resource ? run.minOverlapMillis : run.crossResourceOverlapMillis;
              if (isFirst) expect((a.endedAt[1] - b.startedAt[1]) / 1e6).toBeGreaterThan(margin ?? 0);
              expect(a.scope).toBe(b.scope);
            }
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('of a wide run', () => {
  const fan = (n: number, name: (n: number) => string) =>
    runRecordOf(Array.from({ length: n }, (_, i) => ({ name: name(i), from: i / 1_000, to: 1_000_000 })));
  /** Each call starts as the one `width` before it ends. */
  const stairs = (n: number, width: number, name: (n: number) => string) =>
    runRecordOf(Array.from({ length: n }, (_, i) => ({ name: name(i), from: i, to: i + width - 0.5 })));

  it('all cohorts are contributed up to maxGroups, its maximal ones beyond', () => {
    const names = (n: number) => `t${n}`;
    expect(cohortsOf(fan(101, names), { maxGroups: 100 })).toHaveLength(100);
    const [widest, ...more] = cohortsOf(fan(102, names), { maxGroups: 100 });
    expect(more).toEqual([]);
    expect(widest).toHaveLength(102);
    expect(cohortsOf(stairs(514, 2, names))).toHaveLength(513);
    expect(cohortsOf(fan(514, names))).toHaveLength(1);
  });

  it('10,000 calls at once are one maximal cohort', () => {
    expect(
      cohortsOf(
        fan(10_000, (n) => `t${n}`),
        { cohorts: 'maximal' },
      ),
    ).toHaveLength(1);
    expect(cohortsOf(fan(10_000, () => 't'))).toHaveLength(1);
  });

  it('10,000 calls that relieve each other one by one cost what they give', () => {
    expect(cohortsOf(stairs(10_000, 5_000, () => 't')).map((names) => names.length)).toEqual([5_000]);
    expect(cohortsOf(stairs(10_000, 3, (n) => `t${n % 7}`))).toHaveLength(7 + 1);
  });

  it('what is too much is left out and counted', () => {
    const lesson = new ToolParallelismLearner().learn(stairs(10_000, 1_000, (n) => `t${n}`));
    const names = lesson.cohorts.reduce((sum, cohort) => sum + cohort.names.length, 0);
    expect(names).toBeLessThanOrEqual(100_000);
    expect(lesson.cohorts.length + lesson.dropped).toBe(9_001);
  });
});

describe('a learner that has seen many runs', () => {
  /** A run for each cohort: its names run at once. */
  const runOf = (...cohorts: readonly (readonly string[])[]) =>
    runRecordOf(cohorts.flatMap((names, n) => names.map((name) => ({ name, from: 10 * n, to: 10 * n + 5 }))));

  it('does not take runs of other cohorts for one of a known kind', () => {
    const learner = new ToolParallelismLearner();
    const cohorts = Array.from({ length: 40 }, (_, n) => [`a${n}`, `b${n}`]);
    for (const cohort of cohorts) learner.learn(runOf(cohort));
    for (const first of cohorts) {
      for (const second of cohorts) {
        if (first === second) continue;
        expect(learner.learn(runOf(first, second)).cohorts.map(({ names }) => names)).toEqual([
          first,
          second,
        ]);
      }
    }
  });

  it('gives the very same lesson for a run of a known kind, until it has seen too many names and starts anew', () => {
    const learner = new ToolParallelismLearner();
    const known = learner.learn(runOf(['a', 'b']));
    expect(learner.learn(runOf(['b', 'a']))).toBe(known);
    for (let n = 0; n < 20_000; n++) learner.learn(runOf([`t${n}`]));
    const anew = learner.learn(runOf(['a', 'b']));
    expect(anew).not.toBe(known);
    expect(anew).toEqual(known);
  });
});

it.each([{ maxGroups: 0 }, { maxGroups: 1.5 }, { cohorts: 'all' as 'every' }])('refuses %o', (options) => {
  expect(() => new ToolParallelismLearner(options)).toThrow(RangeError);
});
