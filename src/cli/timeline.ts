import type { CallRecord, RunRecord } from '../model/run-record.ts';
import { compareTimes, earlierTime, laterTime, nanosBetween, type Time } from '../model/time.ts';
import { printable } from './printable.ts';
import type { Paint, Style } from './style.ts';
import { type Cell, formatTable } from './table.ts';
import { counted, formatDuration, formatMinute } from './wording.ts';

/**
 * A run for the eye: one row for each call, with a bar from its start to its end. What ran at the same time stands
 * below one another; model calls are fainter, since only tools form groups.
 */
export function formatTimeline(run: RunRecord, style: Style): readonly string[] {
  const span = extentOf(run);
  const tools = run.calls.filter(({ kind }) => kind === 'tool').length;
  const facts = [
    formatMinute(run.startedAt),
    formatDuration(nanosBetween(span.end, span.start)),
    counted(tools, 'tool call'),
    counted(run.calls.length - tools, 'model call'),
  ];
  const rows = run.calls.map((call) => rowOf(call, span, style));
  return [
    `${style.bold(printable(run.id))}  ${style.dim(facts.join(', '))}`,
    ...(rows.length === 0 ? [] : formatTable(COLUMNS, rows, style)),
  ];
}

const BAR_COLUMNS = 48;
const COLUMNS = [{ maxWidth: 28 }, {}, { align: 'right' }] as const;

interface Extent {
  readonly start: Time;
  readonly end: Time;
}

/** From the first thing known of the run to the last. */
function extentOf({ startedAt, endedAt, calls }: RunRecord): Extent {
  let start = startedAt;
  let end = endedAt ?? startedAt;
  for (const call of calls) {
    start = earlierTime(start, call.startedAt);
    end = laterTime(end, call.endedAt ?? call.startedAt);
  }
  return { start, end };
}

function rowOf(call: CallRecord, extent: Extent, style: Style): readonly Cell[] {
  const isTool = call.kind === 'tool';
  return [
    { text: call.name, ...(isTool ? {} : { paint: style.dim }) },
    { text: barOf(call, extent), paint: (bar) => paintBar(bar, isTool ? style.green : style.dim, style) },
    { text: call.endedAt === undefined ? 'open' : durationOf(call, call.endedAt), paint: style.dim },
  ];
}

function paintBar(bar: string, paint: Paint, style: Style): string {
  return bar.replace(/[^·]+|·+/g, (part) => (part.startsWith('·') ? style.dim(part) : paint(part)));
}

function durationOf({ startedAt }: CallRecord, endedAt: Time): string {
  return formatDuration(Math.max(0, nanosBetween(endedAt, startedAt)));
}

/** Rounded at both ends, so that a call that begins where another ends shares no column with it; at least one column. */
function barOf({ kind, startedAt, endedAt }: CallRecord, { start, end }: Extent): string {
  const length = nanosBetween(end, start);
  const column = (time: Time) =>
    length === 0 ? 0 : Math.round((nanosBetween(time, start) / length) * BAR_COLUMNS);
  const isBackwards = endedAt !== undefined && compareTimes(endedAt, startedAt) < 0;
  const from = Math.min(column(startedAt), BAR_COLUMNS - 1);
  const to = Math.max(column(isBackwards ? startedAt : (endedAt ?? end)), from + 1);
  const bar = (kind === 'tool' ? '█' : '░').repeat(to - from - (endedAt === undefined ? 1 : 0));
  return `${'·'.repeat(from)}${bar}${endedAt === undefined ? '▶' : ''}${'·'.repeat(BAR_COLUMNS - to)}`;
}
