import type { OtlpSpan } from './backend.ts';
import type { Terminal } from './terminal.ts';

/** Draws a trace: its agents, model calls and tools, as bars on one scale of time. */
export function drawTrace(spans: readonly OtlpSpan[], terminal: Terminal): void {
  const rows = rowsOf(spans);
  const start = Math.min(...rows.map((row) => row.from));
  const total = Math.max(...rows.map((row) => row.to)) - start;
  const width = terminal.columns - LABEL - TIME - 4;
  const column = (at: number) => Math.round(((at - start) / total) * width);
  for (const { label, kind, depth, from, to } of rows) {
    const left = Math.min(column(from), width - 1);
    const length = Math.max(column(to) - left, 1);
    const name = `${'  '.repeat(depth)}${label}`.padEnd(LABEL);
    const bar = `${' '.repeat(left)}${BARS[kind].repeat(length)}`.padEnd(width);
    const time = `${Math.round(to - from)} ms`.padStart(TIME);
    terminal.print(`  ${PAINT[kind](terminal, name)}${PAINT[kind](terminal, bar)}  ${terminal.dim(time)}`);
  }
}

interface Row {
  readonly label: string;
  readonly kind: 'agent' | 'tool' | 'model';
  readonly depth: number;
  readonly from: number;
  readonly to: number;
}

const LABEL = 20;
const TIME = 7;
const BARS = { agent: '─', tool: '█', model: '░' };
const PAINT = {
  agent: (terminal: Terminal, text: string) => terminal.bold(text),
  tool: (terminal: Terminal, text: string) => terminal.cyan(text),
  model: (terminal: Terminal, text: string) => terminal.dim(text),
};

/** Each span below its parent, and those of one parent in order of time. */
function rowsOf(spans: readonly OtlpSpan[]): readonly Row[] {
  const rows: Row[] = [];
  const visit = (parentId: string, depth: number) => {
    const children = spans.filter((span) => (span.parentSpanId ?? '') === parentId);
    const placed = children.map((span) => ({ span, row: rowOf(span, depth) }));
    placed.sort((a, b) => a.row.from - b.row.from || a.row.label.localeCompare(b.row.label));
    for (const { span, row } of placed) {
      rows.push(row);
      visit(span.spanId, depth + 1);
    }
  };
  visit('', 0);
  return rows;
}

function rowOf({ attributes = [], startTimeUnixNano, endTimeUnixNano }: OtlpSpan, depth: number): Row {
  const text = (key: string) => attributes.find((attribute) => attribute.key === key)?.value.stringValue;
  const tool = text('ai.toolCall.name');
  const times = { depth, from: Number(startTimeUnixNano) / 1e6, to: Number(endTimeUnixNano) / 1e6 };
  if (tool !== undefined) return { label: tool, kind: 'tool', ...times };
  if (text('ai.operationId') !== 'ai.generateText') return { label: 'model', kind: 'model', ...times };
  return { label: text('ai.telemetry.functionId') ?? 'agent', kind: 'agent', ...times };
}
