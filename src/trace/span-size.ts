import { isShared } from '../model/shared-verdict.ts';
import type { Verdict } from '../model/verdict.ts';

/**
 * Estimates of the heap that buffered spans take, in bytes, for Node's V8 without pointer compression. Measured by
 * `test/trace/span-size.test.ts`, which fails where the estimate is off by 30 %.
 */

/** An empty trace: the entry and its place in the tables. */
export const TRACE_BYTES = 620;

/** What is kept of the runs that were made of a released trace. */
export const MADE_BYTES = 400;

/** A span that has started: what we hold for it, and the application's own span with a few attributes, which we keep alive. */
export const OPEN_SPAN_BYTES = 1_050;

/** A span in the pool, without its verdict. */
export const SLOT_BYTES = 76;

/** A span that is kept as a record, without its verdict. */
export const RECORD_BYTES = 340;

/** A verdict that is not shared. */
const VERDICT_BYTES = 90;
const STRING_BYTES = 24;

export function verdictBytes(verdict: Verdict, callId: string | undefined): number {
  if (verdict.role === 'none' || isShared(verdict)) return stringBytes(callId);
  return (
    VERDICT_BYTES +
    stringBytes(callId) +
    stringBytes(verdict.name) +
    stringBytes(verdict.frameworkName) +
    stringBytes(verdict.stampedAgent) +
    stringBytes(verdict.agentId) +
    stringBytes(verdict.modelName)
  );
}

function stringBytes(text: string | undefined): number {
  return text === undefined ? 0 : STRING_BYTES + text.length;
}
