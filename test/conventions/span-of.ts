import type { Span, SpanKind } from '../../src/model/span.ts';

/** A span with nothing to it but what a test is about; the first argument is its name. */
export function spanOf(
  name: string,
  attributes: Readonly<Record<string, unknown>> = {},
  rest: Partial<Span> & { readonly serviceName?: string; readonly kind?: SpanKind } = {},
): Span {
  const { serviceName, ...fields } = rest;
  return {
    traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
    spanId: '00f067aa0ba902b7',
    parentSpanId: '53995c3f42cd8ad8',
    parentIsRemote: false,
    name,
    kind: 1,
    start: [1_800_000_000, 0],
    end: [1_800_000_000, 100_000_000],
    isError: false,
    scopeName: '',
    resource: { identity: 'test', serviceName },
    attributes,
    ...fields,
  };
}
