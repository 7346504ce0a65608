import type { OtlpJson } from '../support/otlp-encode.ts';

export const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
export const SPAN_ID = '00f067aa0ba902b7';
export const PARENT_ID = 'b7ad6b7169203331';

export const everything = (): boolean => true;
export const nothing = (): boolean => false;

/** A good span, with `fields` instead of or beside its own. */
export function spanJson(fields: OtlpJson = {}): OtlpJson {
  return {
    traceId: TRACE_ID,
    spanId: SPAN_ID,
    name: 'execute_tool search',
    kind: 1,
    startTimeUnixNano: '1795354563298730797',
    endTimeUnixNano: '1795354563413467386',
    ...fields,
  };
}

/** A span that has all that is read of one, as JSON and as what a decoder makes of it; its resource apart. */
export const WHOLE_SPAN = {
  json: spanJson({
    parentSpanId: PARENT_ID,
    flags: 0x301,
    status: { code: 2, message: 'secret' },
    attributes: [attribute('gen_ai.tool.name', { stringValue: 'search' })],
  }),
  read: {
    traceId: TRACE_ID,
    spanId: SPAN_ID,
    parentSpanId: PARENT_ID,
    parentIsRemote: true,
    name: 'execute_tool search',
    kind: 1,
    start: [1795354563, 298730797],
    end: [1795354563, 413467386],
    isError: true,
    scopeName: 'my-agent',
    resource: undefined,
    attributes: { 'gen_ai.tool.name': 'search' },
  },
};

/** A request of these spans from one scope and resource. */
export function requestOf(spans: readonly unknown[], resource: OtlpJson = {}): OtlpJson {
  return { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'my-agent' }, spans }] }] };
}

export function attribute(key: string, value: OtlpJson): OtlpJson {
  return { key, value };
}
