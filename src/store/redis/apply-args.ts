import { randomBytes } from 'node:crypto';
import type { ExecutionPlan } from '../../model/execution-plan.ts';
import { formatApplied, formatGroup, sortableTime } from '../agent-codec.ts';
import type { AppliedRuns, Evidence } from '../agent-state.ts';
import type { AppliedChanges } from '../apply-runs.ts';
import type { StoreLimits } from '../limits.ts';
import type { AgentSnapshot } from './agent-snapshot.ts';
import { PackedArguments } from './packed-arguments.ts';

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

/** One for all calls, as each is made in one go. */
const args = new PackedArguments();

/** Says what `next` changes against `base` in the order that apply-runs-9.lua reads. */
export function applyArgs(
  base: AgentSnapshot,
  history: AppliedRuns,
  next: AppliedChanges,
  { nowMillis, limits, channel, message, turn }: ApplyContext,
): Buffer {
  const mode = modeOf(base, next);
  const latest = mode === 'replace' ? next.state.latest : next.latest;
  args.begin();
  args.push(
    nowMillis,
    mode,
    turn,
    TURN_MILLIS,
    base.epoch,
    base.state.revision,
    base.writes,
    base.planSha,
    limits.appliedRunTtlSeconds * 1_000,
  );
  pushRuns(history, next, limits);
  args.push(
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
  );
  pushEvidence(base, next, mode);
  return args.finish();
}

/** Asks for a turn, and for the agent's state with what was applied of `runs` (id and revision). */
export function claimArgs(
  runs: readonly (readonly [runId: string, revision: number])[],
  { nowMillis, limits, turn }: Pick<ApplyContext, 'nowMillis' | 'limits' | 'turn'>,
): Buffer {
  args.begin();
  const ttl = limits.appliedRunTtlSeconds * 1_000;
  args.push(nowMillis, 'claim', turn, TURN_MILLIS, '', '', '', '', ttl, runs.length);
  for (const [runId, revision] of runs) args.push(runId, 0, revision, '');
  return args.finish();
}

/** Gives a turn back that led to no write. */
export function releaseArgs(turn: string): Buffer {
  args.begin();
  args.push(0, 'release', turn, 0, '', '', '', '', 0);
  return args.finish();
}

type Mode = 'none' | 'merge' | 'replace';

function modeOf(base: AgentSnapshot, next: AppliedChanges): Mode {
  if (next.retracted) return 'replace';
  return next.state === base.state ? 'none' : 'merge';
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

/**
 * Of more new records than are kept, only the newest are sent: the others would go at once. That a record is new is sure
 * where runs are remembered for at least as long as their records.
 */
function pushRuns(
  history: AppliedRuns,
  { applied }: AppliedChanges,
  { maxRunsPerAgent, maxAppliedRuns, runTtlSeconds, appliedRunTtlSeconds }: StoreLimits,
): void {
  const assumed = applied.map(([{ runId }]) => history.get(runId)?.revision ?? 0);
  const isNewSure = maxAppliedRuns >= maxRunsPerAgent && appliedRunTtlSeconds >= runTtlSeconds;
  let keptFrom = isNewSure || maxRunsPerAgent === 0 ? applied.length : 0;
  for (let room = maxRunsPerAgent; keptFrom > 0 && room > 0; ) {
    keptFrom--;
    if (assumed[keptFrom] === 0 && applied[keptFrom]?.[0].run !== undefined) room--;
  }
  args.push(applied.length);
  for (const [index, [{ runId, run }, remembered]] of applied.entries()) {
    args.push(runId, assumed[index] ?? 0, formatApplied(remembered));
    if (index >= keptFrom && run !== undefined) args.pushRecord(run);
    else args.push('');
  }
}

function pushEvidence(base: AgentSnapshot, next: AppliedChanges, mode: Mode): void {
  const kept: [string, Evidence][] = [];
  const deleted: string[] = [];
  for (const [key, evidence] of next.evidence) {
    if (evidence === undefined) deleted.push(key);
    else kept.push([key, evidence]);
  }
  args.push(kept.length);
  for (const [key, evidence] of kept) {
    if (mode === 'replace') {
      const { runs, firstSeen, lastSeen } = evidence;
      args.push(key, 'put', runs, sortableTime(firstSeen), sortableTime(lastSeen));
    } else {
      const sighting = next.sightings.get(key);
      const { first, last } = sighting ?? { first: evidence.firstSeen, last: evidence.lastSeen };
      const how = next.isCountOnly ? 'add' : howOf(evidence, base.state.evidence.get(key));
      args.push(key, how, sighting?.runs ?? 0);
      args.push(sortableTime(first), sortableTime(last));
    }
    args.push(formatGroup(evidence));
  }
  args.push(deleted.length, ...deleted);
}

function howOf(evidence: Evidence, before: Evidence | undefined): 'add' | 'move' {
  const isSame = before?.groupId === evidence.groupId && before.added === evidence.added;
  return before === undefined || isSame ? 'add' : 'move';
}
