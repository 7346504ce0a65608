import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ToolParallelismLearner } from '../../src/learner/tool-parallelism-learner.ts';
import { formatRunRecord, parseRunRecord } from '../../src/model/run-record-json.ts';
import { runsOf } from '../support/assembled.ts';
import { randomTrace } from '../support/random-traces.ts';

const margins = fc.record({
  minOverlapMillis: fc.constantFrom(0, 2),
  crossResourceOverlapMillis: fc.constantFrom(0, 10),
  run: fc.constantFrom('agent', 'trace'),
});

it('a stored run, read again, is the same run and gives the same cohorts', () => {
  const learner = new ToolParallelismLearner();
  fc.assert(
    fc.property(randomTrace, margins, (specs, options) => {
      for (const run of runsOf(specs, options)) {
        const again = parseRunRecord(JSON.parse(JSON.stringify(formatRunRecord(run))));
        expect(again).toEqual(run);
        expect(learner.learn(again)).toEqual(learner.learn(run));
      }
    }),
    { numRuns: 1_000 },
  );
});
