import { expect, it } from 'vitest';
import { changeBytes } from '../../src/store/change-bytes.ts';
import type { RunChange } from '../../src/store/plan-store.ts';
import { runRecordOf } from '../support/calls.ts';

it('weighs a change by its texts, those of its calls and of its cohorts', () => {
  const changeOf = (call: string, tool: string): RunChange => ({
    runId: 'run',
    revision: 1,
    run: runRecordOf([{ name: call, from: 0, to: 1 }]),
    endedAt: [1, 0],
    cohorts: [{ key: 'key', names: [tool] }],
  });
  const least = changeBytes(changeOf('a', 'a'));
  expect(changeBytes(changeOf('a'.repeat(251), 'a'))).toBe(least + 250);
  expect(changeBytes(changeOf('a', 'a'.repeat(251)))).toBe(least + 250);
});
