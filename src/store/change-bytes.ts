import type { RunChange } from './plan-store.ts';

/** Roughly the memory that a change takes while it waits; its texts are counted, everything else is a constant. */
export function changeBytes(change: RunChange): number {
  let bytes = CHANGE_BYTES + change.runId.length;
  for (const call of change.run?.calls ?? []) {
    bytes += CALL_BYTES + call.name.length + (call.modelName?.length ?? 0);
  }
  return bytes + cohortBytes(change.cohorts);
}

/** Runs of one kind share their list of cohorts. */
function cohortBytes(cohorts: RunChange['cohorts']): number {
  const known = sizes.get(cohorts);
  if (known !== undefined) return known;
  let bytes = 0;
  for (const { names } of cohorts) {
    bytes += COHORT_BYTES;
    for (const name of names) bytes += NAME_BYTES + name.length;
  }
  sizes.set(cohorts, bytes);
  return bytes;
}

const sizes = new WeakMap<RunChange['cohorts'], number>();

const CHANGE_BYTES = 640;
const CALL_BYTES = 320;
const COHORT_BYTES = 160;
const NAME_BYTES = 8;
