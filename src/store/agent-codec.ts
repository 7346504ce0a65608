import type { Time } from '../model/time.ts';
import type { AppliedRun, Evidence } from './agent-state.ts';

/**
 * Evidence and applied runs as short texts, for stores that keep text. Numbers stand first and have a fixed width
 * where they are compared, so that a script can add and compare them without reading the rest.
 *
 *     evidence   <runs> <first seen> <last seen> ["<group id>",<added: 0 or 1>,["<tool name>",…]]
 *     applied    <revision> <ended at> <cohort key>,<cohort key>,…
 */
export function formatEvidence(evidence: Evidence): string {
  const { runs, firstSeen, lastSeen } = evidence;
  return `${runs} ${sortableTime(firstSeen)} ${sortableTime(lastSeen)} ${formatGroup(evidence)}`;
}

/** The part of the evidence that does not change with each run. */
export function formatGroup({ groupId, added, toolNames }: Evidence): string {
  const known = groupTexts.get(toolNames);
  if (known?.groupId === groupId && known.added === added) return known.text;
  const text = JSON.stringify([groupId, added ? 1 : 0, toolNames]);
  groupTexts.set(toolNames, { groupId, added, text });
  return text;
}

const groupTexts = new WeakMap<
  readonly string[],
  { readonly groupId: string; readonly added: boolean; readonly text: string }
>();

/** @returns undefined where `text` is no evidence: then it is made again with the next runs. */
export function parseEvidence(text: string): Evidence | undefined {
  const match = /^(\d+) (\d{21}) (\d{21}) (.*)$/s.exec(text);
  if (match === null) return undefined;
  const [, runs = '', first = '', last = '', group = ''] = match;
  try {
    const [groupId, added, toolNames] = JSON.parse(group) as [string, number, string[]];
    const firstSeen = parseSortableTime(first);
    return {
      groupId,
      toolNames,
      runs: Number(runs),
      firstSeen,
      lastSeen: parseSortableTime(last),
      added: added === 1,
    };
  } catch {
    return undefined;
  }
}

export function formatApplied(run: AppliedRun): string {
  return `${run.revision} ${sortableTime(run.endedAt)} ${joined(run.keys)}`;
}

/** Runs of one kind share their list of keys. */
function joined(keys: readonly string[]): string {
  const known = joinedKeys.get(keys);
  if (known !== undefined) return known;
  const text = keys.join(',');
  joinedKeys.set(keys, text);
  return text;
}

const joinedKeys = new WeakMap<readonly string[], string>();

export function parseApplied(text: string): AppliedRun | undefined {
  const [revision = '', endedAt = '', keys = ''] = text.split(' ');
  if (!/^\d+$/.test(revision) || !/^\d{21}$/.test(endedAt)) return undefined;
  return {
    revision: Number(revision),
    endedAt: parseSortableTime(endedAt),
    keys: keys === '' ? [] : keys.split(','),
  };
}

/** 21 digits that sort as the time does. */
export function sortableTime([seconds, nanos]: Time): string {
  return String(seconds + SHIFT_SECONDS).padStart(12, '0') + String(nanos).padStart(9, '0');
}

export function parseSortableTime(text: string): Time {
  return [Number(text.slice(0, 12)) - SHIFT_SECONDS, Number(text.slice(12))];
}

/** Keeps times before 1970 above zero; RFC 3339 begins 62 thousand million seconds before. */
const SHIFT_SECONDS = 100_000_000_000;
