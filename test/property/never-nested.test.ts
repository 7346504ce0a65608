import fc from 'fast-check';
import { expect, it } from 'vitest';
import { assembled, cohortsOf } from '../support/assembled.ts';
import { randomTrace } from '../support/random-traces.ts';
import { idOf, type SpanSpec } from '../support/spans.ts';

/** Every tool under a name of its own, so that a cohort tells which spans it is made of. */
const uniqueNames = randomTrace.map((specs) =>
  specs.map((spec) =>
    spec.verdict?.role === 'tool' ? { ...spec, verdict: { ...spec.verdict, name: spec.id } } : spec,
  ),
);

it('no cohort holds a call and what encloses it, or calls of two agents', () => {
  let cohorts = 0;
  fc.assert(
    fc.property(uniqueNames, (specs) => {
      const byId = new Map(specs.map((spec) => [spec.id, spec]));
      for (const names of cohortsOf(specs)) {
        cohorts++;
        const paths = names.map((name) => pathOf(name, byId));
        for (const [index, path] of paths.entries()) {
          for (const [other, name] of names.entries()) if (other !== index) expect(path).not.toContain(name);
          expect(agentOn(path, byId)).toBe(agentOn(paths[0] ?? [], byId));
        }
      }
    }),
    { numRuns: 1_500 },
  );
  expect(cohorts).toBeGreaterThan(100);
});

it('every call span is in exactly one run: as a call, or as a layer or twin of one', () => {
  fc.assert(
    fc.property(randomTrace, (specs) => {
      const runs = assembled(specs);
      const members = runs.flatMap((run) => run.members.map(({ spanId }) => spanId));
      const isStrong = specs.some(({ verdict }) => verdict?.role !== 'none' && verdict?.weak === undefined);
      for (const { id, verdict } of specs) {
        const count = members.filter((member) => member === idOf(id)).length;
        const mayBeLookedThrough = verdict?.mayBePrompt || verdict?.isExecution || verdict?.role === 'llm';
        if (verdict?.role !== 'tool' && verdict?.role !== 'llm') continue;
        if (verdict.weak && !isStrong) expect(count).toBe(0);
        else if (!mayBeLookedThrough) expect(count).toBeGreaterThanOrEqual(1);
      }
      for (const { run } of runs) expect(run.calls.length).toBeGreaterThan(0);
      expect(new Set(runs.map(({ run }) => run.id)).size).toBe(runs.length);
    }),
    { numRuns: 1_000 },
  );
});

/** The ids of what encloses a span, nearest first; a cycle of parents ends it. */
function pathOf(id: string, byId: ReadonlyMap<string, SpanSpec>): readonly string[] {
  const path: string[] = [];
  for (let at = byId.get(id)?.parent; at !== undefined && byId.has(at); at = byId.get(at)?.parent) {
    if (at === id || path.includes(at)) return [];
    path.push(at);
  }
  return path;
}

function agentOn(path: readonly string[], byId: ReadonlyMap<string, SpanSpec>): string | undefined {
  return path.find((id) => byId.get(id)?.verdict?.role === 'agent' && !byId.get(id)?.verdict?.weak);
}
