import { readdirSync, readFileSync } from 'node:fs';
import type { Span, SpanKind } from '../../src/model/span.ts';
import { timeFromUnixNanos } from '../../src/model/time.ts';

const CAPTURES = new URL('../fixtures/captures/', import.meta.url);

/** What is true of a recording. */
export interface Expected {
  readonly agent: string;
  readonly agents?: Readonly<Record<string, readonly string[]>>;
  readonly caller_groups: readonly (readonly string[])[];
  readonly tool_calls: number;
  readonly unattainable?: string;
}

export const CAPTURE_NAMES: readonly string[] = readdirSync(CAPTURES).sort();

export function expectedOf(capture: string): Expected {
  return JSON.parse(readFileSync(new URL(`${capture}/expected.json`, CAPTURES), 'utf8'));
}

/** The spans of a recording, read the plain way: the decoders have tests of their own. */
export function recordedSpans(capture: string): readonly Span[] {
  const requests: Request[] = JSON.parse(readFileSync(new URL(`${capture}/otlp.json`, CAPTURES), 'utf8'));
  return requests.flatMap((request) =>
    (request.resourceSpans ?? []).flatMap(({ resource, scopeSpans }) =>
      scopeSpans.flatMap(({ scope, spans }) =>
        spans.map((span) => readSpan(span, scope?.name ?? '', attributesOf(resource?.attributes))),
      ),
    ),
  );
}

interface Request {
  readonly resourceSpans?: readonly {
    readonly resource?: { readonly attributes?: readonly Attribute[] };
    readonly scopeSpans: readonly {
      readonly scope?: { readonly name?: string };
      readonly spans: readonly Recorded[];
    }[];
  }[];
}

interface Recorded {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: SpanKind;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: readonly Attribute[];
}

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

function readSpan(span: Recorded, scopeName: string, resource: Readonly<Record<string, unknown>>): Span {
  const serviceName = resource['service.name'];
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId || undefined,
    parentIsRemote: undefined,
    name: span.name,
    kind: span.kind,
    start: timeFromUnixNanos(BigInt(span.startTimeUnixNano)),
    end: timeFromUnixNanos(BigInt(span.endTimeUnixNano)),
    isError: false,
    scopeName,
    resource: {
      identity: 'recorded',
      serviceName: typeof serviceName === 'string' ? serviceName : undefined,
    },
    attributes: attributesOf(span.attributes),
  };
}

function attributesOf(attributes: readonly Attribute[] = []): Readonly<Record<string, unknown>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
