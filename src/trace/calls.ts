import type { CallRecord } from '../model/run-record.ts';
import { compareTimes, laterTime, nanosBetween, type Time } from '../model/time.ts';
import { compareUtf8 } from '../model/utf8.ts';
import type { Draft } from '../support/draft.ts';
import { sortInPlace } from '../support/sorted.ts';
import type { SpanNode } from './span-node.ts';
import type { SpanRecord } from './span-record.ts';

/** A call of a run on its way into the record. */
export interface Call {
  readonly node: SpanNode;
  readonly start: Time;
  readonly end: Time | undefined;
  /** Only calls of one scope may overlap: the span id of the nearest enclosing tool call or agent, else of the run. */
  readonly scope: string;
}

/**
 * The calls of one run in the order of the record.
 *
 *     call spans → intervals and scopes → one call for two spans of it → what a sub-agent may hide → sorted
 *
 * @param around where to look for model calls that tell a sub-agent.
 */
export function callsOf(
  nodes: readonly SpanNode[],
  runSpanId: string,
  layers: ReadonlyMap<SpanNode, readonly SpanRecord[]>,
  around: readonly SpanNode[],
  minOverlapMillis: number,
): readonly Call[] {
  const calls = nodes.map((node) => {
    // Where a layer times the execution itself, the outer span includes waiting, for a person's approval say.
    const timer =
      layers.size === 0 ? undefined : layers.get(node)?.find((layer) => layer.verdict.isExecution);
    const { start, end } = timer ?? node.record;
    return { node, start, end, scope: node.encloser?.record.spanId ?? outerScope(node, runSpanId) };
  });
  const merged = mergeTwins(sortInPlace(calls, byStart));
  return sortInPlace(hideSubAgents(merged, around, minOverlapMillis), byRecordOrder);
}

/** A tool call that is the run's own span does not share the scope of what it encloses, which bears its id. */
function outerScope(node: SpanNode, runSpanId: string): string {
  return node.role === 'tool' && node.record.spanId === runSpanId ? NO_SPAN : runSpanId;
}

const NO_SPAN = '0000000000000000';

/** Writes calls down; scope and process only where they tell calls apart. */
export function recordsOf(calls: readonly Call[]): readonly CallRecord[] {
  const severalScopes = calls.some((call) => call.scope !== calls[0]?.scope);
  const severalProcesses = ranInSeveralProcesses(calls);
  return calls.map(({ node, start, end, scope }) => {
    const { verdict, resource } = node.record;
    const isLlm = node.role === 'llm';
    const kind = isLlm ? 'llm' : 'tool';
    const name = nameOf(node);
    // Nearly all calls have ended and have no more than this: a field that is added later takes memory of its own.
    const record: Draft<CallRecord> =
      end === undefined ? { kind, name, startedAt: start } : { kind, name, startedAt: start, endedAt: end };
    if (severalScopes) record.scope = scope;
    if (severalProcesses && !isLlm) record.resource = resource.identity;
    const { promptTokens, outputTokens, totalTokens, modelName, toolCallCount } = verdict;
    if (outputTokens !== undefined) record.outputTokens = outputTokens;
    if (promptTokens !== undefined) record.promptTokens = promptTokens;
    if (totalTokens !== undefined) record.totalTokens = totalTokens;
    if (modelName !== undefined) record.modelName = modelName;
    if (toolCallCount !== undefined) record.toolCallCount = toolCallCount;
    return record;
  });
}

function ranInSeveralProcesses(calls: readonly Call[]): boolean {
  let first: string | undefined;
  for (const { node } of calls) {
    if (node.role !== 'tool') continue;
    first ??= node.record.resource.identity;
    if (node.record.resource.identity !== first) return true;
  }
  return false;
}

function nameOf({ record, role }: SpanNode): string {
  return record.verdict.name ?? role;
}

/**
 * Makes one call of overlapping siblings with one call id, which are two instrumentations of the same call; what is
 * inside either is inside that one.
 * @param calls in order of start.
 */
function mergeTwins(calls: Call[]): Call[] {
  if (!anyOverlap(calls) || !shareCallId(calls)) return calls;
  const latest = new Map<string, number>();
  const aliases = new Map<string, string>();
  const merged: Call[] = [];
  for (const call of calls) {
    const { callId } = call.node.record;
    const key = callId === undefined || call.node.role !== 'tool' ? undefined : `${scopeOf(call)}/${callId}`;
    const index = key === undefined ? undefined : latest.get(key);
    const twin = index === undefined ? undefined : merged[index];
    if (index !== undefined && twin !== undefined && isRunningAt(twin, call.start)) {
      const end = twin.end && call.end && laterTime(twin.end, call.end);
      merged[index] = { ...twin, end };
      aliases.set(call.node.record.spanId, twin.node.record.spanId);
    } else {
      if (key !== undefined) latest.set(key, merged.length);
      merged.push(call);
    }
  }
  return merged.map((call) => ({ ...call, scope: scopeOf(call) }));

  function scopeOf({ scope }: Call): string {
    return aliases.get(scope) ?? scope;
  }
}

/** @param calls in order of start. */
function anyOverlap(calls: readonly Call[]): boolean {
  // A call that runs on past any later start runs on past the next one.
  return calls.some((call, index) => {
    const before = calls[index - 1];
    return before !== undefined && isRunningAt(before, call.start);
  });
}

function shareCallId(calls: readonly Call[]): boolean {
  const seen = new Set<string>();
  return calls.some(({ node }) => {
    const { callId } = node.record;
    if (callId === undefined) return false;
    return seen.size === seen.add(callId).size;
  });
}

function isRunningAt(call: Call, time: Time): boolean {
  return call.end === undefined || compareTimes(call.end, time) > 0;
}

/** A span that its parent encloses may end this much after it: clocks are rounded. The most seen is 3.4 ms. */
const ENCLOSING_TOLERANCE_NANOS = 5e6;

/**
 * Where the emitter hangs every span below one root, a tool call during which a model call starts may be a sub-agent,
 * and what lies inside it may be its work. Nothing can tell, so such calls get a scope of their own: they give no
 * evidence.
 * @param calls in order of start.
 */
function hideSubAgents(calls: Call[], around: readonly SpanNode[], minOverlapMillis: number): Call[] {
  if (!calls.some((call) => call.node.role === 'tool' && call.node.record.verdict.isFlat)) return calls;
  const modelStarts = around.filter((node) => node.role === 'llm').map((node) => node.record.start);
  modelStarts.sort(compareTimes);
  const suspects = calls.filter(
    (call) => call.node.record.verdict.isFlat && call.node.role === 'tool' && holdsModelCall(call),
  );
  // Of the suspects that have started, the two that end last: one of them may be the call itself.
  const open: Call[] = [];
  let next = 0;
  return calls.map((call) => {
    for (let at = suspects[next]; at && compareTimes(at.start, call.start) <= 0; at = suspects[++next]) {
      open.push(at);
      open.sort((a, b) => compareEnds(b.end, a.end));
      open.length = Math.min(open.length, 2);
    }
    const isHidden = open.some((suspect) => suspect !== call && endsWithin(call, suspect));
    // Not the span id alone: that is the scope of what the call itself encloses.
    return isHidden ? { ...call, scope: `alone:${call.node.record.spanId}` } : call;
  });

  function holdsModelCall(call: Call): boolean {
    const after = modelStarts[lowerBound(modelStarts, call.start)];
    if (after === undefined) return false;
    return call.end === undefined || nanosBetween(call.end, after) > minOverlapMillis * 1e6;
  }
}

/** Index of the first time that is not before `time`, in times that are sorted. */
function lowerBound(times: readonly Time[], time: Time): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareTimes(times[middle] ?? time, time) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function endsWithin(call: Call, suspect: Call): boolean {
  if (suspect.end === undefined) return true;
  return call.end !== undefined && nanosBetween(call.end, suspect.end) <= ENCLOSING_TOLERANCE_NANOS;
}

function compareEnds(a: Time | undefined, b: Time | undefined): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  return compareTimes(a, b);
}

function byStart(a: Call, b: Call): number {
  return compareTimes(a.start, b.start) || bySpanId(a, b);
}

function byRecordOrder(a: Call, b: Call): number {
  return (
    compareTimes(a.start, b.start) ||
    compareUtf8(nameOf(a.node), nameOf(b.node)) ||
    compareEnds(a.end, b.end) ||
    bySpanId(a, b)
  );
}

function bySpanId(a: Call, b: Call): number {
  const x = a.node.record.spanId;
  const y = b.node.record.spanId;
  return x === y ? 0 : x < y ? -1 : 1;
}
