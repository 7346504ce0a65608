import type { Verdict } from '../model/verdict.ts';
import type { SpanRecord } from './span-record.ts';

/**
 * Estimates of the heap that buffered spans take, in bytes, for Node's V8 without pointer compression. Measured by
 * `test/trace/span-size.test.ts`, which fails where the estimate is off by 30 %.
 */

/** An empty trace: the entry and its maps. */
export const TRACE_BYTES = 1_200;

/** What is kept of the runs that were made of a released trace. */
export const MADE_BYTES = 450;

/** A span id in a Set: the string and its slot. */
export const ID_BYTES = 72;

/** A span that has started: what we hold for it, and the application's own span with a few attributes, which we keep alive. */
export const OPEN_SPAN_BYTES = 1_400;

/** The record, its slot in the map of its trace, and both times. */
const RECORD_BYTES = 240;
/** A verdict that is not the shared one for "none". */
const VERDICT_BYTES = 160;
const STRING_BYTES = 24;

export function heapBytesOf(span: SpanRecord): number {
  let bytes = RECORD_BYTES + stringBytes(span.spanId) + stringBytes(span.parentSpanId);
  if (span.verdict.role !== 'none') bytes += verdictBytes(span.verdict);
  return bytes;
}

function verdictBytes(verdict: Verdict): number {
  return (
    VERDICT_BYTES +
    stringBytes(verdict.name) +
    stringBytes(verdict.callId) +
    stringBytes(verdict.frameworkName) +
    stringBytes(verdict.stampedAgent) +
    stringBytes(verdict.agentId) +
    stringBytes(verdict.modelName)
  );
}

function stringBytes(text: string | undefined): number {
  return text === undefined ? 0 : STRING_BYTES + text.length;
}
