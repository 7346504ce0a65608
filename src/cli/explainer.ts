import { ToolParallelismLearner } from '../learner/tool-parallelism-learner.ts';
import type { RunRecord } from '../model/run-record.ts';
import type { Span } from '../model/span.ts';
import type { AssembledRun } from '../trace/assemble-runs.ts';
import type { SpanNode } from '../trace/span-node.ts';
import { buildSpanTree } from '../trace/span-tree.ts';
import type { ReleasedTrace } from '../trace/trace-buffer.ts';
import type { Output } from './output.ts';
import { printable } from './printable.ts';
import type { Paint, Style } from './style.ts';
import { type Cell, formatTable } from './table.ts';
import { counted, listed, toolsOf } from './wording.ts';

/**
 * Shows what each span was taken for and by which rule, trace by trace, and the runs that came of it. A span's final
 * role depends on its trace, so a trace is shown when it is finished.
 */
export class Explainer {
  readonly out: Output;
  /** Names are not kept in the buffer, so they wait here: by trace, then span. */
  readonly #names = new Map<string, Map<string, string>>();
  readonly #learner = new ToolParallelismLearner({ cohorts: 'maximal' });

  constructor(out: Output) {
    this.out = out;
  }

  /** Notes a span's name until its trace is finished. */
  span({ traceId, spanId, name }: Span): void {
    const names = this.#names.get(traceId) ?? new Map<string, string>();
    names.set(spanId, name.slice(0, MAX_NAME));
    this.#names.set(traceId, names);
  }

  trace(trace: ReleasedTrace, runs: readonly AssembledRun[]): void {
    const { style } = this.out;
    const names = this.#names.get(trace.traceId);
    this.#names.delete(trace.traceId);
    const placed = inTreeOrder(buildSpanTree(trace.spans, trace.context));
    const part = trace.segment > 1 ? `, part ${trace.segment}` : '';
    this.out.line(`${style.bold(`Trace ${trace.traceId}`)}${part}, ${counted(placed.length, 'span')}`);
    const rows = placed.map(({ node, depth }) => {
      const name = names?.get(node.record.spanId) ?? '';
      return rowOf(node, `${'  '.repeat(Math.min(depth, MAX_INDENT))}${name}`, style);
    });
    for (const line of formatTable(COLUMNS, rows, style)) this.out.line(line);
    for (const { run } of runs) this.out.line(`  ${this.#runText(run)}`);
    if (runs.length === 0) this.out.line('  No tool or model was called, so there is no run.');
    this.out.line();
  }

  #runText(run: RunRecord): string {
    const { style } = this.out;
    const tools = run.calls.filter(({ kind }) => kind === 'tool').length;
    const calls = `${counted(tools, 'tool call')}, ${counted(run.calls.length - tools, 'model call')}`;
    const groups = this.#learner.learn(run).cohorts.map(({ names }) => toolsOf(names).join(' + '));
    const together =
      groups.length === 0 ? 'no tools at the same time' : `at the same time: ${listed(groups)}`;
    return `${style.cyan('→')} run of ${style.bold(printable(run.agentId))}: ${calls}; ${together}`;
  }
}

const MAX_NAME = 120;
const MAX_INDENT = 12;
const COLUMNS = [
  { title: 'SPAN', maxWidth: 48 },
  { title: 'TAKEN FOR' },
  { title: 'NAME', maxWidth: 32 },
  { title: 'BY RULE' },
  {},
];

interface PlacedNode {
  readonly node: SpanNode;
  readonly depth: number;
}

/** Parents before children, siblings by start; without recursion, as a trace may be as deep as it is long. */
function inTreeOrder(nodes: readonly SpanNode[]): readonly PlacedNode[] {
  const own = nodes.filter((node) => !node.isContext);
  const children = new Map<SpanNode | undefined, SpanNode[]>();
  for (const node of own) {
    const parent = node.parent?.isContext ? undefined : node.parent;
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [node]);
    else siblings.push(node);
  }
  const stack = (children.get(undefined) ?? []).map((node) => ({ node, depth: 0 })).sort(lastFirst);
  const placed: PlacedNode[] = [];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    placed.push(next);
    const depth = next.depth + 1;
    stack.push(...(children.get(next.node) ?? []).map((node) => ({ node, depth })).sort(lastFirst));
  }
  return placed;
}

function lastFirst(a: PlacedNode, b: PlacedNode): number {
  const [x, y] = [a.node.record.start, b.node.record.start];
  return y[0] - x[0] || y[1] - x[1] || (a.node.record.spanId < b.node.record.spanId ? 1 : -1);
}

function rowOf(node: SpanNode, spanText: string, style: Style): readonly Cell[] {
  const { verdict } = node.record;
  const paint = paintOf(node, style);
  const isNothing = verdict.role === 'none';
  return [
    { text: spanText, ...(isNothing && { paint: style.dim }) },
    { text: isNothing ? '–' : verdict.role, paint },
    { text: verdict.name ?? verdict.frameworkName ?? '', paint },
    { text: isNothing && verdict.rule === 'none' ? '' : verdict.rule, paint: style.dim },
    { text: notesOf(node).join('; '), paint: style.yellow },
  ];
}

function paintOf({ role }: SpanNode, style: Style): Paint {
  if (role === 'tool') return style.green;
  if (role === 'llm') return style.blue;
  return role === 'agent' || role === 'workflow' ? style.cyan : style.dim;
}

/** What the verdict alone does not say: how sure it is, and what the trace made of it. */
function notesOf(node: SpanNode): readonly string[] {
  const { verdict } = node.record;
  const notes: string[] = [];
  if (verdict.unverified) notes.push('unverified');
  if (verdict.weak) {
    const counts = node.role !== 'none';
    notes.push(counts ? 'weak' : 'weak: does not count, as nothing surer is in this trace');
  }
  if (node.layerOf !== undefined) notes.push(`part of the call ${node.layerOf.record.verdict.name ?? ''}`);
  else if (verdict.isExecution) notes.push('times a call');
  if (node.role === 'step' && verdict.role !== 'step') notes.push('wraps a model call');
  return notes;
}
