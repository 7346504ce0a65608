import { compareTimes } from '../model/time.ts';
import { sortInPlace } from '../support/sorted.ts';
import { isSameTool } from './same-tool.ts';
import { NOWHERE, SpanIdMap } from './span-id-map.ts';
import { SpanNode } from './span-node.ts';
import type { SpanRecord } from './span-record.ts';

/**
 * Puts the spans of one trace into their tree. The result depends on the set of spans only, not on their order, even
 * where parents form a cycle (no real trace has one), which is cut at one of them.
 * @param context spans of earlier segments that may enclose these.
 */
export function buildSpanTree(
  spans: readonly SpanRecord[],
  context: readonly SpanRecord[] = [],
): readonly SpanNode[] {
  const nodes = new TreeBuilder(spans, context).build();
  markWrappers(nodes);
  markLayers(nodes);
  return nodes;
}

class TreeBuilder {
  /** Spans of earlier segments, then those of this trace in order of start. */
  readonly #records: readonly SpanRecord[];
  readonly #contextCount: number;
  readonly #nodeOf: (SpanNode | undefined)[];
  /** In the order in which they are placed: parents before children. */
  readonly #placed: SpanNode[] = [];
  readonly #strong: boolean;
  /** At first the span that started first, which is mostly the root. */
  #lastParent = 0;
  #isNoted = false;

  constructor(spans: readonly SpanRecord[], context: readonly SpanRecord[]) {
    const own = sortInPlace([...spans], byStart);
    const enclosing = context.length > 0 ? without(context, own) : context;
    this.#contextCount = enclosing.length;
    this.#records = enclosing.length > 0 ? [...enclosing, ...own] : own;
    this.#strong = this.#records.some(({ verdict }) => verdict.role !== 'none' && verdict.weak === undefined);
    this.#nodeOf = new Array(this.#records.length).fill(undefined);
  }

  /** Every span of this trace, and what encloses them of earlier ones. */
  build(): readonly SpanNode[] {
    for (let index = this.#contextCount; index < this.#records.length; index++) this.#place(index);
    return this.#placed;
  }

  #place(index: number): void {
    if (this.#nodeOf[index] !== undefined) return;
    const parent = this.#parentOf(index);
    const above = parent === undefined ? undefined : this.#nodeOf[parent];
    // What started later is mostly below what is placed already.
    if (parent === undefined || above !== undefined) this.#addNode(index, above);
    else this.#placeFromAbove(index);
  }

  /** Places what encloses a span before it. Without recursion, because a trace may be as deep as it is long. */
  #placeFromAbove(start: number): void {
    const path: number[] = [];
    const onPath = new Set([start]);
    let index = start;
    let parent = this.#parentOf(index);
    while (parent !== undefined && this.#nodeOf[parent] === undefined && !onPath.has(parent)) {
      path.push(index);
      onPath.add(parent);
      index = parent;
      parent = this.#parentOf(index);
    }
    let node = this.#addNode(index, parent === undefined ? undefined : this.#nodeOf[parent]);
    for (let at = path.length - 1; at >= 0; at--) node = this.#addNode(path[at] ?? 0, node);
  }

  #parentOf(index: number): number | undefined {
    // Every index is that of a record.
    const { hasParent, parentHigh, parentLow } = this.#records[index] as SpanRecord;
    if (!hasParent) return undefined;
    // A span is mostly inside what the one before is inside of, or inside that one.
    if (isSpan(this.#records[this.#lastParent], parentHigh, parentLow)) return this.#lastParent;
    const isBefore = index > 0 && isSpan(this.#records[index - 1], parentHigh, parentLow);
    const parent = isBefore ? index - 1 : this.#indexOf(parentHigh, parentLow);
    if (parent === NOWHERE) return undefined;
    this.#lastParent = parent;
    return parent;
  }

  #indexOf(high: number, low: number): number {
    if (!this.#isNoted) noteIndices(this.#records);
    this.#isNoted = true;
    return INDICES.get(high, low);
  }

  #addNode(index: number, parent: SpanNode | undefined): SpanNode {
    // Every index is that of a record.
    const record = this.#records[index] as SpanRecord;
    const { role, weak } = record.verdict;
    const counts = weak === undefined || this.#strong;
    const node = new SpanNode(record, counts ? role : 'none', parent, index < this.#contextCount);
    this.#nodeOf[index] = node;
    this.#placed.push(node);
    return node;
  }
}

function isSpan(record: SpanRecord | undefined, high: number, low: number): boolean {
  return record !== undefined && record.spanHigh === high && record.spanLow === low;
}

/** Where in a list of records each span is. The same table for one tree after another. */
const INDICES = new SpanIdMap();

function noteIndices(records: readonly SpanRecord[]): void {
  INDICES.reset(records.length);
  for (let at = 0; at < records.length; at++) {
    // Every index is that of a record.
    const { spanHigh, spanLow } = records[at] as SpanRecord;
    INDICES.set(spanHigh, spanLow, at);
  }
}

function without(context: readonly SpanRecord[], own: readonly SpanRecord[]): readonly SpanRecord[] {
  noteIndices(own);
  return context.filter(({ spanHigh, spanLow }) => INDICES.get(spanHigh, spanLow) === NOWHERE);
}

/**
 * A tool span directly inside another is a layer of it, not a call, if it times its execution, has its call id, names
 * the same tool, or is its only MCP call. Two instrumentations of one call are told from a tool that calls tools so.
 * @param nodes parents before children.
 */
function markLayers(nodes: readonly SpanNode[]): void {
  if (!nodes.some(mayBeLayer)) return;
  for (const node of nodes) {
    // The span of the call itself was not seen; what is inside must not become a layer of what is no call.
    if (node.role === 'tool' && node.record.verdict.isExecution && node.tool === undefined)
      node.role = 'step';
  }
  const mcpCalls = new Map<SpanNode, number>();
  for (const { role, tool, record } of nodes) {
    if (role === 'tool' && tool !== undefined && record.verdict.isMcp) {
      mcpCalls.set(tool, (mcpCalls.get(tool) ?? 0) + 1);
    }
  }
  for (const node of nodes) {
    if (node.role !== 'tool' || node.tool === undefined) continue;
    const owner = node.tool.call;
    const { verdict, callId } = node.record;
    const isLayer = [node.tool, owner].some(({ record }) => {
      return (callId !== undefined && callId === record.callId) || isSameTool(record.verdict, verdict);
    });
    if (isLayer || verdict.isExecution || (verdict.isMcp && mcpCalls.get(node.tool) === 1)) {
      node.layerOf = owner;
    }
  }
}

function mayBeLayer(node: SpanNode): boolean {
  return node.role === 'tool' && (node.tool !== undefined || node.record.verdict.isExecution === true);
}

/**
 * Spans that only wrap a model call become steps: an LLM span around another one (a framework's own and its client
 * library's; the innermost counts), and a function that is marked as a tool but is a prompt.
 */
function markWrappers(nodes: readonly SpanNode[]): void {
  if (!nodes.some(({ role }) => role === 'llm')) return;
  const wrappers = new Set<SpanNode>();
  const seen = new Set<SpanNode>();
  for (const node of nodes) {
    if (node.role !== 'llm') continue;
    for (let at = node.parent; at !== undefined && !seen.has(at); at = at.parent) {
      seen.add(at);
      if (at.role === 'llm' || isPrompt(at)) wrappers.add(at);
      else if (at.role !== 'step' && at.role !== 'none') break;
    }
  }
  for (const node of wrappers) node.role = 'step';
}

function isPrompt({ role, record: { verdict, callId } }: SpanNode): boolean {
  return role === 'tool' && verdict.mayBePrompt === true && callId === undefined;
}

function byStart(a: SpanRecord, b: SpanRecord): number {
  return compareTimes(a.start, b.start) || compareIds(a, b);
}

/** In the order of their text. */
function compareIds(a: SpanRecord, b: SpanRecord): number {
  return (a.spanHigh >>> 0) - (b.spanHigh >>> 0) || (a.spanLow >>> 0) - (b.spanLow >>> 0);
}
