import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace-node';
import type { Terminal } from './terminal.ts';

/** Remembers the spans of the newest trace, to draw them: a second processor beside the one that learns. */
export class TraceView implements SpanProcessor {
  #spans: ReadableSpan[] = [];

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    const { traceId } = span.spanContext();
    if (this.#spans[0]?.spanContext().traceId !== traceId) this.#spans = [];
    this.#spans.push(span);
  }

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {}

  /** Agents, model calls and tools of the newest trace, as bars on one scale of time. */
  draw(terminal: Terminal): void {
    const rows = this.#rows();
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

  #rows(): readonly Row[] {
    const rows: Row[] = [];
    const visit = (parentId: string | undefined, depth: number) => {
      const children = this.#spans.filter((span) => span.parentSpanContext?.spanId === parentId);
      const placed = children.map((span) => ({ span, row: rowOf(span, depth) }));
      placed.sort((a, b) => a.row.from - b.row.from || a.row.label.localeCompare(b.row.label));
      for (const { span, row } of placed) {
        rows.push(row);
        visit(span.spanContext().spanId, depth + 1);
      }
    };
    visit(undefined, 0);
    return rows;
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

function rowOf({ attributes, startTime, endTime }: ReadableSpan, depth: number): Row {
  const tool = attributes['ai.toolCall.name'];
  const isAgent = attributes['ai.operationId'] === 'ai.generateText';
  const times = { depth, from: millis(startTime), to: millis(endTime) };
  if (typeof tool === 'string') return { label: tool, kind: 'tool', ...times };
  if (isAgent) return { label: String(attributes['ai.telemetry.functionId']), kind: 'agent', ...times };
  return { label: 'model', kind: 'model', ...times };
}

function millis([seconds, nanos]: readonly [number, number]): number {
  return seconds * 1_000 + nanos / 1e6;
}
