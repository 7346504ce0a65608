import { compareUtf8 } from '../model/utf8.ts';
import type { Evidence } from './agent-state.ts';
import type { GroupSupport } from './plan-store.ts';

/** What a store tells of its evidence, in the order of the plan's groups. */
export function supportOf(evidence: Iterable<Evidence>): readonly GroupSupport[] {
  const support = [...evidence].map(({ groupId, toolNames, runs, firstSeen, lastSeen }) => ({
    groupId,
    toolNames,
    runs,
    firstSeen,
    lastSeen,
  }));
  return support.sort((a, b) => compareUtf8(a.groupId, b.groupId));
}
