import { parseApplied, parseEvidence, parseSortableTime } from '../agent-codec.ts';
import {
  type AgentState,
  type AppliedRun,
  type AppliedRuns,
  EMPTY_STATE,
  type Evidence,
} from '../agent-state.ts';
import { parsePlan } from '../plan-json.ts';

/** An agent's state as this process last saw it in Redis, and what tells whether it still holds. */
export interface AgentSnapshot {
  readonly state: AgentState;
  /** Random, made with the agent's first write, so that a forgotten agent that begins anew is not taken for the old. */
  readonly epoch: string;
  /** Counts all writes of spanplan; the revision counts only those that changed the groups. */
  readonly writes: string;
  /** SHA-1 of the plan, or `ours` where it is as spanplan last wrote it, but for the run it names. */
  readonly planSha: string;
}

/** What is taken for true of an agent that this process knows nothing of: if Redis has more, it says so. */
export const UNKNOWN_AGENT: AgentSnapshot = { state: EMPTY_STATE, epoch: '', writes: '0', planSha: '' };

/**
 * Reads the reply of the script where the snapshot was stale.
 * @throws StoreError `corrupt_plan` where the stored plan cannot be read.
 */
export function readStaleReply(
  reply: readonly unknown[],
  planKey: string,
): { readonly snapshot: AgentSnapshot; readonly history: AppliedRuns } {
  const [, revision, epoch, writes, planSha, runId, endedAt, compacted] = reply.map(String);
  const [plan, evidence, applied] = reply.slice(8);
  const known = readHash<Evidence>(evidence, parseEvidence);
  const state: AgentState = {
    plan: typeof plan === 'string' ? parsePlan(plan, planKey) : undefined,
    revision: Number(revision),
    evidence: known,
    latest: runId && endedAt ? { runId, endedAt: parseSortableTime(endedAt) } : undefined,
    compacted: compacted === '1',
    isMerged: planSha === 'ours' && (typeof plan === 'string' || known.size === 0),
  };
  return {
    snapshot: {
      state,
      epoch: epoch ?? '',
      writes: writes ?? '0',
      planSha: planSha ?? '',
    },
    history: readHash<AppliedRun>(applied, parseApplied),
  };
}

function readHash<T>(flat: unknown, parse: (text: string) => T | undefined): Map<string, T> {
  const entries = new Map<string, T>();
  if (!Array.isArray(flat)) return entries;
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const value = parse(String(flat[i + 1]));
    if (value !== undefined) entries.set(String(flat[i]), value);
  }
  return entries;
}
