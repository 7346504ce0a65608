import { randomBytes } from 'node:crypto';
import type { ExecutionPlan } from '../../model/execution-plan.ts';
import { formatRunRecord } from '../../model/run-record-json.ts';
import { compareTimes, earlierTime, laterTime, type Time } from '../../model/time.ts';
import { compareUtf8 } from '../../model/utf8.ts';
import { formatApplied, formatGroup, sortableTime } from '../agent-codec.ts';
import type { AppliedRuns, ContributingRun, Evidence } from '../agent-state.ts';
import type { AppliedChanges } from '../apply-runs.ts';
import type { StoreLimits } from '../limits.ts';
import type { AgentSnapshot } from './agent-snapshot.ts';

/** What the script is told besides the changes. */
export interface ApplyContext {
  readonly nowMillis: number;
  readonly limits: StoreLimits;
  readonly channel: string;
  readonly message: string;
  /** Names this call among others that compete for the agent; empty where it did not take a turn. */
  readonly turn: string;
}

/** How long the others wait for a writer that took its turn; it needs a few milliseconds. */
const TURN_MILLIS = 250;

/** Says what `next` changes against `base` in the order that apply-runs-9.lua reads. */
export function applyArgs(
  base: AgentSnapshot,
  history: AppliedRuns,
  next: AppliedChanges,
  { nowMillis, limits, channel, message, turn }: ApplyContext,
): readonly (string | number)[] {
  const mode = modeOf(base, next);
  const latest = mode === 'replace' ? next.state.latest : latestOf(next);
  return [
    nowMillis,
    mode,
    turn,
    TURN_MILLIS,
    base.epoch,
    base.state.revision,
    base.writes,
    base.planSha,
    limits.appliedRunTtlSeconds * 1_000,
    ...runArgs(history, next, limits.maxRunsPerAgent > 0),
    ...planArgs(base, next),
    randomBytes(8).toString('hex'),
    next.state.revision,
    latest?.runId ?? '',
    latest === undefined ? '' : sortableTime(latest.endedAt),
    latest === undefined ? '' : JSON.stringify(latest.runId),
    next.state.compacted ? 1 : 0,
    channel,
    message,
    limits.maxAppliedRuns,
    limits.runTtlSeconds,
    limits.maxRunsPerAgent,
    ...evidenceArgs(base, next, mode),
  ];
}

/** Asks for a turn, and for the agent's state with what was applied of `runs` (id and revision). */
export function claimArgs(
  runs: readonly (readonly [runId: string, revision: number])[],
  { nowMillis, limits, turn }: Pick<ApplyContext, 'nowMillis' | 'limits' | 'turn'>,
): readonly (string | number)[] {
  const ids = runs.flatMap(([runId, revision]) => [runId, 0, revision, '']);
  const ttl = limits.appliedRunTtlSeconds * 1_000;
  return [nowMillis, 'claim', turn, TURN_MILLIS, '', '', '', '', ttl, runs.length, ...ids];
}

/** Gives a turn back that led to no write. */
export function releaseArgs(turn: string): readonly (string | number)[] {
  return [0, 'release', turn, 0, '', '', '', '', 0];
}

type Mode = 'none' | 'merge' | 'replace';

function modeOf(base: AgentSnapshot, next: AppliedChanges): Mode {
  if (next.retracted) return 'replace';
  return next.state === base.state ? 'none' : 'merge';
}

/** The batch's own latest run: what the agent's was may have been withdrawn by another writer. */
function latestOf(next: AppliedChanges): ContributingRun | undefined {
  let latest: ContributingRun | undefined;
  for (const [{ runId }, { endedAt, keys }] of next.applied) {
    if (keys.length === 0) continue;
    const order = latest && (compareTimes(endedAt, latest.endedAt) || compareUtf8(runId, latest.runId));
    if (order === undefined || order > 0) latest = { runId, endedAt };
  }
  return latest;
}

function planArgs(base: AgentSnapshot, next: AppliedChanges): readonly (string | number)[] {
  const { plan } = next.state;
  if (plan === undefined) return [base.state.plan === undefined ? 'keep' : 'delete', '', 0, 0];
  // The script moves the run id of a plan that is ours; nothing else differs while the groups do not.
  const isOurs = base.planSha === 'ours' && base.state.plan !== undefined;
  if (next.state === base.state || (isOurs && next.state.revision === base.state.revision))
    return ['keep', '', 0, 0];
  return ['set', ...locateRunId(plan)];
}

/** The plan's JSON, and where the run id stands in it, quotes included, in bytes. */
function locateRunId(plan: ExecutionPlan): readonly [text: string, offset: number, length: number] {
  const template = plan.metadata_template;
  const mark = randomBytes(16).toString('hex');
  const marked = JSON.stringify({ ...plan, metadata_template: { ...template, run_id: mark } });
  const [before = '', after = ''] = marked.split(`"${mark}"`);
  const runId = JSON.stringify(template.run_id);
  return [before + runId + after, Buffer.byteLength(before), Buffer.byteLength(runId)];
}

function runArgs(
  history: AppliedRuns,
  next: AppliedChanges,
  keepsRecords: boolean,
): readonly (string | number)[] {
  const args: (string | number)[] = [next.applied.length];
  for (const [{ runId, run }, applied] of next.applied) {
    const record = keepsRecords && run !== undefined ? JSON.stringify(formatRunRecord(run)) : '';
    args.push(runId, history.get(runId)?.revision ?? 0, formatApplied(applied), record);
  }
  return args;
}

function evidenceArgs(base: AgentSnapshot, next: AppliedChanges, mode: Mode): readonly (string | number)[] {
  const before = base.state.evidence;
  const after = next.state.evidence;
  const added = addedEvidence(next);
  const entries: (string | number)[] = [];
  let count = 0;
  for (const [key, evidence] of after) {
    if (evidence === before.get(key)) continue;
    entries.push(key, ...entryArgs(evidence, before.get(key), added.get(key), mode), formatGroup(evidence));
    count++;
  }
  const deleted = [...before.keys()].filter((key) => !after.has(key));
  return [count, ...entries, deleted.length, ...deleted];
}

interface Added {
  readonly runs: number;
  readonly first: Time;
  readonly last: Time;
}

function entryArgs(
  evidence: Evidence,
  before: Evidence | undefined,
  added: Added | undefined,
  mode: Mode,
): readonly (string | number)[] {
  const { runs, firstSeen, lastSeen } = evidence;
  if (mode === 'replace') return ['put', runs, sortableTime(firstSeen), sortableTime(lastSeen)];
  const how = before === undefined || formatGroup(before) === formatGroup(evidence) ? 'add' : 'move';
  if (added === undefined) return [how, 0, sortableTime(firstSeen), sortableTime(lastSeen)];
  return [how, added.runs, sortableTime(added.first), sortableTime(added.last)];
}

function addedEvidence(next: AppliedChanges): ReadonlyMap<string, Added> {
  const added = new Map<string, Added>();
  for (const [, { keys, endedAt }] of next.applied) {
    for (const key of keys) {
      const seen = added.get(key);
      added.set(key, {
        runs: (seen?.runs ?? 0) + 1,
        first: seen === undefined ? endedAt : earlierTime(seen.first, endedAt),
        last: seen === undefined ? endedAt : laterTime(seen.last, endedAt),
      });
    }
  }
  return added;
}
