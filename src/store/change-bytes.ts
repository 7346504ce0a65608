import type { RunChange } from './plan-store.ts';

/** Roughly the memory that a change takes while it waits; its texts are counted, everything else is a constant. */
export function changeBytes(change: RunChange): number {
  let bytes = CHANGE_BYTES + change.runId.length;
  for (const call of change.run?.calls ?? []) {
    bytes += CALL_BYTES + call.name.length + (call.modelName?.length ?? 0);
  }
  for (const { names } of change.cohorts) {
    bytes += COHORT_BYTES;
    for (const name of names) bytes += NAME_BYTES + name.length;
  }
  return bytes;
}

const CHANGE_BYTES = 640;
const CALL_BYTES = 320;
const COHORT_BYTES = 160;
const NAME_BYTES = 8;
