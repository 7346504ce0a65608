import type { Convention } from '../../src/conventions/convention.ts';
import type { Span } from '../../src/model/span.ts';
import { type Time, timeFromUnixNanos } from '../../src/model/time.ts';
import type { SpanRole, Verdict } from '../../src/model/verdict.ts';
import { type SpanRecord, spanRecordOf } from '../../src/trace/span-record.ts';

/** Builds spans whose verdict is given rather than recognised, with times in milliseconds after one fixed moment. */
export interface SpanSpec {
  /** At most eight characters; the span's id is made of it. */
  readonly id: string;
  readonly parent?: string | undefined;
  readonly parentIsRemote?: boolean | undefined;
  readonly from?: number;
  /** Undefined for an open span; default 10 after `from`. */
  readonly to?: number | undefined;
  readonly verdict?: Verdict;
  /** Which process it is of. */
  readonly process?: string;
  readonly service?: string | undefined;
  readonly trace?: string;
  readonly agentOverride?: string;
}

type Details = Partial<Verdict> & Omit<SpanSpec, 'id' | 'verdict'>;

export const agent = (id: string, details: Details = {}) => specOf('agent', id, details);
export const workflow = (id: string, details: Details = {}) => specOf('workflow', id, details);
export const tool = (id: string, details: Details = {}) => specOf('tool', id, { name: id, ...details });
export const llm = (id: string, details: Details = {}) => specOf('llm', id, { name: 'chat', ...details });
export const step = (id: string, details: Details = {}) => specOf('step', id, details);
export const other = (id: string, details: Details = {}) => specOf('none', id, details);

function specOf(role: SpanRole, id: string, details: Details): SpanSpec {
  const { parent, parentIsRemote, from, process, service, trace, agentOverride, ...rest } = details;
  const { to, ...verdict } = rest;
  return {
    id,
    parent,
    parentIsRemote,
    ...(from !== undefined && { from }),
    ...('to' in details && { to }),
    ...(process !== undefined && { process }),
    ...('service' in details && { service }),
    ...(trace !== undefined && { trace }),
    ...(agentOverride !== undefined && { agentOverride }),
    verdict: { role, rule: `test.${role}`, ...verdict },
  };
}

export function idOf(label: string): string {
  return Buffer.from(label).toString('hex').padEnd(16, '0').slice(0, 16);
}

export function traceIdOf(label: string): string {
  return Buffer.from(label).toString('hex').padEnd(32, '0').slice(0, 32);
}

const EPOCH_NANOS = 1_795_352_400_000_000_000n;

export function at(millis: number): Time {
  return timeFromUnixNanos(EPOCH_NANOS + BigInt(Math.round(millis * 1e6)));
}

export function spanOf(spec: SpanSpec): Span {
  const from = spec.from ?? 0;
  const to = 'to' in spec ? spec.to : from + 10;
  return {
    traceId: traceIdOf(spec.trace ?? 't'),
    spanId: idOf(spec.id),
    parentSpanId: spec.parent === undefined ? undefined : idOf(spec.parent),
    parentIsRemote: spec.parentIsRemote,
    name: spec.id,
    kind: 1,
    start: at(from),
    end: to === undefined ? undefined : at(to),
    isError: false,
    scopeName: 'test',
    resource: {
      identity: spec.process ?? 'process',
      serviceName: 'service' in spec ? spec.service : 'service',
    },
    attributes: { 'test.verdict': spec.verdict, 'test.agent': spec.agentOverride },
  };
}

export function recordOf(spec: SpanSpec): SpanRecord {
  const { verdict = { role: 'none', rule: 'none' } } = spec;
  return spanRecordOf(spanOf(spec), { verdict, callId: verdict.callId }, spec.agentOverride);
}

/** Recognises spans made by `spanOf`. */
export const testConvention: Convention = {
  name: 'test',
  source: 'made up',
  attributes: ['test.verdict', 'test.agent'],
  recognise: (span) => span.attributes['test.verdict'] as Verdict | undefined,
};
