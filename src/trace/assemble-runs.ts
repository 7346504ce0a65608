import type { CallRecord, RunRecord } from '../model/run-record.ts';
import { earlierTime, laterTime, type Time } from '../model/time.ts';
import type { Draft } from '../support/draft.ts';
import { agentIdOf, stampOf } from './agent-identity.ts';
import { callsOf, recordsOf } from './calls.ts';
import { runIdOf } from './run-id.ts';
import type { SpanNode } from './span-node.ts';
import type { SpanRecord } from './span-record.ts';
import { buildSpanTree } from './span-tree.ts';

export interface AssembleOptions {
  /** `agent` (default): a run for each agent span. `trace`: all of a trace in one run. */
  readonly run: 'agent' | 'trace';
  /** Milliseconds by which two calls must overlap; JavaScript spans start on whole milliseconds. Default 2. */
  readonly minOverlapMillis: number;
  /** The same for calls of two processes, whose clocks differ. Default 50. */
  readonly crossResourceOverlapMillis: number;
  /** Names every agent so. */
  readonly agentId: string | undefined;
}

export const DEFAULT_ASSEMBLE_OPTIONS: AssembleOptions = {
  run: 'agent',
  minOverlapMillis: 2,
  crossResourceOverlapMillis: 50,
  agentId: undefined,
};

/** One finished trace, or one segment of a very long one. */
export interface TraceSpans {
  readonly traceId: string;
  /** 1, and one more for each time the trace outgrew its span limit. */
  readonly segment: number;
  readonly spans: readonly SpanRecord[];
  /** Spans of earlier segments that may enclose these. */
  readonly context: readonly SpanRecord[];
  /**
   * What a parent that was never seen means: over the wire it was lost or is to come, so the spans that name it belong
   * together; in process it was never recorded, so they are roots.
   */
  readonly missingParent: 'shared' | 'absent';
}

export interface AssembledRun {
  readonly run: RunRecord;
  /** The spans the run is made of: its own span, its calls and their layers. */
  readonly members: readonly SpanRecord[];
}

/**
 * Turns a finished trace into RunRecords. Pure, and a function of the set of spans: neither their order nor the
 * batches they came in matter.
 *
 *     spans → tree (what encloses what) → calls → the run each belongs to → RunRecords
 */
export function assembleRuns(trace: TraceSpans, options: AssembleOptions): readonly AssembledRun[] {
  const nodes = buildSpanTree(trace.spans, trace.context);
  const runs = draftsOf(nodes, trace, options);
  const layers = layersByCall(nodes);
  const models = modelCallsByRunSpan(runs);
  return runs.map((draft) => finishRun(draft, layers, models, trace, options));
}

/** The calls of the trace by the run that they belong to. */
function draftsOf(
  nodes: readonly SpanNode[],
  trace: TraceSpans,
  options: AssembleOptions,
): readonly RunDraft[] {
  const drafts = new Map<string, RunDraft>();
  let draft: RunDraft | undefined;
  for (const node of nodes) {
    if (!isCall(node)) continue;
    const isWhole = options.run === 'trace';
    const holder = isWhole ? (node.topAgent ?? node.workflow ?? node.top) : holderOf(node, trace);
    const runSpanId = isWhole ? WHOLE_TRACE : runSpanIdOf(node, holder);
    const stamp = isWhole ? undefined : stampOf(holder, node);
    // Calls that follow one another are mostly of one run.
    if (draft?.runSpanId !== runSpanId || draft.stamp !== stamp) {
      const key = `${runSpanId}/${stamp ?? ''}`;
      draft = drafts.get(key) ?? { runSpanId, holder, stamp, nodes: [] };
      drafts.set(key, draft);
    }
    draft.nodes.push(node);
  }
  return [...drafts.values()];
}

/** What will be a run. */
interface RunDraft {
  readonly runSpanId: string;
  /** The span that holds the run, where it was seen. */
  readonly holder: SpanNode | undefined;
  /** The agent's name where only the calls say it; calls of one span but of different agents are different runs. */
  readonly stamp: string | undefined;
  readonly nodes: SpanNode[];
}

type Layers = ReadonlyMap<SpanNode, readonly SpanRecord[]>;
const NO_LAYERS: Layers = new Map();

function isCall(node: SpanNode): boolean {
  if (node.isContext || node.layerOf !== undefined) return false;
  return node.role === 'llm' || node.role === 'tool';
}

/**
 * The span that holds the run of a call: the nearest agent, else the nearest workflow, else the topmost known ancestor;
 * undefined where that has a parent that was not seen, and others may have too.
 */
function holderOf(node: SpanNode, trace: TraceSpans): SpanNode | undefined {
  const holder = node.agent ?? node.workflow;
  if (holder !== undefined) return holder;
  const { top } = node;
  const mayShare = trace.missingParent === 'shared' && !top.record.parentIsRemote;
  return mayShare && top.record.hasParent ? undefined : top;
}

function runSpanIdOf(node: SpanNode, holder: SpanNode | undefined): string {
  if (holder !== undefined) return holder.record.spanId;
  // Nobody holds it only where there is a parent, which was not seen.
  return node.top.record.parentSpanId as string;
}

/** Stands for the run span where a run is the whole trace; no real span has this id. */
const WHOLE_TRACE = '0000000000000000';

function layersByCall(nodes: readonly SpanNode[]): Layers {
  if (!nodes.some((node) => node.layerOf !== undefined)) return NO_LAYERS;
  const layers = new Map<SpanNode, SpanRecord[]>();
  for (const { layerOf, record, isContext } of nodes) {
    if (layerOf === undefined || isContext) continue;
    const known = layers.get(layerOf);
    if (known === undefined) layers.set(layerOf, [record]);
    else known.push(record);
  }
  return layers;
}

type ModelCalls = ReadonlyMap<string, readonly SpanNode[]>;
const NO_MODEL_CALLS: ModelCalls = new Map();

/** Model calls around each run span, whatever agent's name they bear. */
function modelCallsByRunSpan(runs: readonly RunDraft[]): ModelCalls {
  // Only what bears several names is looked at beyond its own calls.
  if (runs.length === 1) return NO_MODEL_CALLS;
  const models = new Map<string, SpanNode[]>();
  for (const { runSpanId, nodes } of runs) {
    const known = models.get(runSpanId) ?? [];
    for (const node of nodes) if (node.role === 'llm') known.push(node);
    models.set(runSpanId, known);
  }
  return models;
}

function finishRun(
  draft: RunDraft,
  layers: Layers,
  models: ModelCalls,
  trace: TraceSpans,
  options: AssembleOptions,
): AssembledRun {
  const { minOverlapMillis, crossResourceOverlapMillis } = options;
  // Calls that bear no name may be the work of any agent; those that do are their agent's alone.
  const around = draft.stamp === undefined ? models.get(draft.runSpanId) : undefined;
  const calls = callsOf(draft.nodes, draft.runSpanId, layers, around ?? draft.nodes, minOverlapMillis);
  const records = recordsOf(calls);
  const crossesProcesses =
    crossResourceOverlapMillis > 0 && records.some((record) => record.resource !== undefined);
  const { startedAt, endedAt } = timesOf(options.run === 'trace' ? undefined : draft.holder, records);
  // Assigned one by one: spreading what may be absent into an object takes the engine's slow way.
  const run: Draft<RunRecord> = {
    id: runIdOf(trace.traceId, draft.runSpanId, trace.segment, draft.stamp),
    agentId: agentIdOf(draft.holder, calls, draft.stamp, options),
    startedAt,
    calls: records,
  };
  if (endedAt !== undefined) run.endedAt = endedAt;
  if (minOverlapMillis > 0) run.minOverlapMillis = minOverlapMillis;
  if (crossesProcesses) run.crossResourceOverlapMillis = crossResourceOverlapMillis;
  return { run, members: membersOf(draft, layers) };
}

function membersOf({ nodes, holder }: RunDraft, layers: Layers): readonly SpanRecord[] {
  const members = nodes.map((node) => node.record);
  if (layers.size > 0) for (const node of nodes) members.push(...(layers.get(node) ?? []));
  if (holder === undefined || holder.isContext) return members;
  // A call may be the span of its own run.
  if (!isCall(holder) || !members.includes(holder.record)) members.push(holder.record);
  return members;
}

/** The times of the span that holds the run, else those of its calls. An open span has no end. */
function timesOf(
  holder: SpanNode | undefined,
  calls: readonly CallRecord[],
): { readonly startedAt: Time; readonly endedAt: Time | undefined } {
  if (holder !== undefined) return { startedAt: holder.record.start, endedAt: holder.record.end };
  const ends = calls.map((call) => call.endedAt).filter((end) => end !== undefined);
  return {
    startedAt: calls.map((call) => call.startedAt).reduce(earlierTime),
    endedAt: ends.length > 0 ? ends.reduce(laterTime) : undefined,
  };
}
