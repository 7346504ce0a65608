import type { CallRecord, RunRecord } from '../../src/model/run-record.ts';
import { at } from './spans.ts';

/** A run record of tool calls with times in milliseconds. */
export function runRecordOf(calls: readonly CallSpec[], more: Partial<RunRecord> = {}): RunRecord {
  return { id: 'run', agentId: 'planner', startedAt: at(0), calls: calls.map(callOf), ...more };
}

export interface CallSpec {
  readonly name: string;
  readonly from: number;
  readonly to?: number | undefined;
  readonly kind?: 'tool' | 'llm';
  readonly scope?: string | undefined;
  readonly resource?: string | undefined;
}

function callOf({ name, from, to, kind = 'tool', scope, resource }: CallSpec): CallRecord {
  return {
    kind,
    name,
    startedAt: at(from),
    ...(to !== undefined && { endedAt: at(to) }),
    ...(scope !== undefined && { scope }),
    ...(resource !== undefined && { resource }),
  };
}
