import type { SpanRecord } from './span-record.ts';

/**
 * What may enclose the spans of a trace's next segment: agents, workflows, tool calls and whatever else has children; of
 * too many the outermost kinds, then the newest.
 */
export function enclosingSpans(spans: readonly SpanRecord[], max: number): readonly SpanRecord[] {
  const parents = new Set(spans.map((span) => span.parentSpanId));
  const rank = ({ verdict, spanId }: SpanRecord): number => {
    if (verdict.role === 'agent' || verdict.role === 'workflow') return 0;
    if (parents.has(spanId)) return 1;
    return verdict.role === 'tool' ? 2 : 3;
  };
  return spans
    .map((span, index) => ({ span, index, rank: rank(span) }))
    .filter((item) => item.rank < 3)
    .sort((a, b) => a.rank - b.rank || b.index - a.index)
    .slice(0, max)
    .map((item) => item.span);
}
