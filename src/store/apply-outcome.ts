import type { AppliedChanges } from './apply-runs.ts';
import type { ApplyOutcome } from './plan-store.ts';

/** What a store reports of changes that it has written. */
export function outcomeOf(changes: AppliedChanges, conflicts = 0): ApplyOutcome {
  return {
    applied: changes.applied.length,
    duplicates: changes.duplicates.length,
    duplicateRunIds: changes.duplicates.map((change) => change.runId),
    groupsAdded: changes.groupsAdded,
    groupsRemoved: changes.groupsRemoved,
    groupsCompacted: changes.groupsCompacted,
    groupsEvicted: changes.groupsEvicted,
    revision: changes.state.revision,
    conflicts,
  };
}
