import type { CallKind, CallRecord, RunRecord } from './run-record.ts';
import { formatTime, parseTime, type Time } from './time.ts';

/**
 * RunRecords as they stand in the store: the JSON of nemo-flow-adaptive (snake_case, RFC 3339 times, absent fields
 * left out), with the fields of ours (`scope`, `resource`, `min_overlap_ms`, `cross_resource_overlap_ms`) only where
 * they say something. Unknown fields are dropped when reading, because they may hold content.
 */
export function formatRunRecord(run: RunRecord): Record<string, unknown> {
  return {
    id: run.id,
    agent_id: run.agentId,
    started_at: formatTime(run.startedAt),
    ...(run.endedAt && { ended_at: formatTime(run.endedAt) }),
    ...(run.minOverlapMillis && { min_overlap_ms: run.minOverlapMillis }),
    ...(run.crossResourceOverlapMillis && { cross_resource_overlap_ms: run.crossResourceOverlapMillis }),
    calls: run.calls.map(formatCall),
  };
}

function formatCall(call: CallRecord): Record<string, unknown> {
  const json: Record<string, unknown> = {
    kind: call.kind,
    name: call.name,
    started_at: formatTime(call.startedAt),
  };
  if (call.endedAt !== undefined) json.ended_at = formatTime(call.endedAt);
  for (const [field, wire] of CALL_FIELDS) if (call[field] !== undefined) json[wire] = call[field];
  return json;
}

const COUNT_FIELDS = [
  ['outputTokens', 'output_tokens'],
  ['promptTokens', 'prompt_tokens'],
  ['totalTokens', 'total_tokens'],
  ['toolCallCount', 'tool_call_count'],
] as const;
const TEXT_FIELDS = [
  ['modelName', 'model_name'],
  ['scope', 'scope'],
  ['resource', 'resource'],
] as const;
const CALL_FIELDS = [...COUNT_FIELDS, ...TEXT_FIELDS] as const;

/**
 * Reads one RunRecord.
 * @throws TypeError that names the field and what was expected; it never holds the value.
 */
export function parseRunRecord(json: unknown): RunRecord {
  const run = objectAt(json, 'the run');
  const endedAt = optionalTimeAt(run, 'ended_at', 'ended_at');
  const minOverlapMillis = optionalNumberAt(run, 'min_overlap_ms', 'min_overlap_ms');
  const crossResourceOverlapMillis = optionalNumberAt(
    run,
    'cross_resource_overlap_ms',
    'cross_resource_overlap_ms',
  );
  if (!Array.isArray(run.calls)) throw new TypeError('calls is not a list');
  return {
    id: nameAt(run, 'id', 'id'),
    agentId: nameAt(run, 'agent_id', 'agent_id'),
    startedAt: timeAt(run, 'started_at', 'started_at'),
    ...(endedAt && { endedAt }),
    ...(minOverlapMillis && { minOverlapMillis }),
    ...(crossResourceOverlapMillis && { crossResourceOverlapMillis }),
    calls: run.calls.map(parseCall),
  };
}

function parseCall(json: unknown, index: number): CallRecord {
  const at = `calls[${index}]`;
  const call = objectAt(json, at);
  const { kind } = call;
  if (kind !== 'tool' && kind !== 'llm') throw new TypeError(`${at}.kind is neither "tool" nor "llm"`);
  const endedAt = optionalTimeAt(call, 'ended_at', `${at}.ended_at`);
  const optional: Record<string, unknown> = {};
  for (const [field, wire] of COUNT_FIELDS) {
    const count = optionalNumberAt(call, wire, `${at}.${wire}`);
    if (count !== undefined) optional[field] = count;
  }
  for (const [field, wire] of TEXT_FIELDS) {
    const value = call[wire];
    if (value === undefined || value === null) continue;
    if (typeof value !== 'string') throw new TypeError(`${at}.${wire} is not a string`);
    optional[field] = value;
  }
  return {
    kind: kind satisfies CallKind,
    name: nameAt(call, 'name', `${at}.name`),
    startedAt: timeAt(call, 'started_at', `${at}.started_at`),
    ...(endedAt && { endedAt }),
    ...optional,
  };
}

type JsonObject = Readonly<Record<string, unknown>>;

function objectAt(value: unknown, at: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`${at} is not an object`);
  }
  return value as JsonObject;
}

function nameAt(object: JsonObject, field: string, at: string): string {
  const value = object[field];
  if (typeof value !== 'string' || value === '') throw new TypeError(`${at} is not a non-empty string`);
  return value;
}

function timeAt(object: JsonObject, field: string, at: string): Time {
  const value = object[field];
  const time = typeof value === 'string' ? parseTime(value) : undefined;
  if (time === undefined) throw new TypeError(`${at} is not an RFC 3339 time`);
  return time;
}

function optionalTimeAt(object: JsonObject, field: string, at: string): Time | undefined {
  return object[field] === undefined || object[field] === null ? undefined : timeAt(object, field, at);
}

function optionalNumberAt(object: JsonObject, field: string, at: string): number | undefined {
  const value = object[field];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) {
    throw new TypeError(`${at} is not a number of zero or more`);
  }
  return value;
}
