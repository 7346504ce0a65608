import { ROOT_CONTEXT, TraceFlags, trace } from '@opentelemetry/api';
import type { FanoutSpanProcessor } from '../../src/fanout-span-processor.ts';
import type { Time } from '../../src/model/time.ts';
import type { SdkSpan } from '../../src/source/sdk-span.ts';
import { type RecordedAttribute, type RecordedSpan, type RecordedValue, requestsOf } from './captures.ts';

/** Plays recorded OTLP into an in-process processor as an SDK would have called it: starts and ends of live spans. */

/** Which line's spans to imitate: 1.x tells parent and scope otherwise than 2.x and 3.x. */
export type SpanShape = '1.x' | '2.x';

/** A span that can be started and ended once, as an SDK hands it to its processors. */
export class ReplayedSpan {
  readonly start: Time;
  readonly end: Time;
  readonly live: SdkSpan;
  readonly #recorded: RecordedSpan;
  readonly #state: { ended: boolean; attributes: Record<string, unknown> };

  constructor(recorded: RecordedSpan, scopeName: string, resource: SdkSpan['resource'], shape: SpanShape) {
    this.#recorded = recorded;
    this.start = timeOf(recorded.startTimeUnixNano);
    this.end = timeOf(recorded.endTimeUnixNano);
    const state: { ended: boolean; attributes: Record<string, unknown> } = { ended: false, attributes: {} };
    this.#state = state;
    const { start, end } = this;
    const { traceId, spanId, parentSpanId } = recorded;
    const isRemote = isRemoteParent(recorded);
    this.live = {
      name: recorded.name,
      kind: Math.max(0, recorded.kind - 1),
      spanContext: () => ({ traceId, spanId }),
      ...(parentSpanId && shape === '1.x' && { parentSpanId }),
      ...(parentSpanId && shape === '2.x' && { parentSpanContext: { spanId: parentSpanId, isRemote } }),
      startTime: start,
      get endTime() {
        return state.ended ? end : ([0, 0] as const);
      },
      get ended() {
        return state.ended;
      },
      status: { code: recorded.status?.code ?? 0 },
      get attributes() {
        return state.attributes;
      },
      resource,
      ...(shape === '1.x'
        ? { instrumentationLibrary: { name: scopeName } }
        : { instrumentationScope: { name: scopeName } }),
    };
  }

  begin(processor: Pick<FanoutSpanProcessor, 'onStart'>): void {
    const { traceId, parentSpanId } = this.#recorded;
    const isRemote = isRemoteParent(this.#recorded);
    const parent = { traceId, spanId: parentSpanId ?? '', traceFlags: TraceFlags.SAMPLED, isRemote };
    processor.onStart(this.live, parentSpanId ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT);
  }

  /** Attributes come late, as frameworks set most of them only when a span is about to end. */
  finish(processor: Pick<FanoutSpanProcessor, 'onEnd'>): void {
    this.#state.attributes = attributesOf(this.#recorded.attributes);
    this.#state.ended = true;
    processor.onEnd(this.live);
  }
}

export function replayedSpans(capture: string, shape: SpanShape): readonly ReplayedSpan[] {
  return requestsOf(capture).flatMap((request) =>
    (request.resourceSpans ?? []).flatMap(({ resource, scopeSpans }) => {
      const shared = { attributes: attributesOf(resource?.attributes) };
      return scopeSpans.flatMap(({ scope, spans }) =>
        spans.map((span) => new ReplayedSpan(span, scope?.name ?? '', shared, shape)),
      );
    }),
  );
}

/** Starts and ends as they happened; at one instant, starts come first and parents before children. */
export function inOrderOfTime(spans: readonly ReplayedSpan[], processor: FanoutSpanProcessor): void {
  const starts = spans.map((span) => ({ at: span.start, isEnd: false, span }));
  const ends = spans.map((span) => ({ at: span.end, isEnd: true, span }));
  const events = [...starts, ...ends].sort(
    (a, b) => a.at[0] - b.at[0] || a.at[1] - b.at[1] || Number(a.isEnd) - Number(b.isEnd),
  );
  for (const { isEnd, span } of events) {
    if (isEnd) span.finish(processor);
    else span.begin(processor);
  }
}

/** The bit of OTLP's span flags that says that the parent is in another process. */
function isRemoteParent({ flags = 0 }: RecordedSpan): boolean {
  return (flags & 0x200) !== 0;
}

function attributesOf(attributes: readonly RecordedAttribute[] = []): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plain(value)]));
}

function plain(value: RecordedValue): unknown {
  if (value.intValue !== undefined) return Number(value.intValue);
  if (value.arrayValue !== undefined) return (value.arrayValue.values ?? []).map(plain);
  if (value.kvlistValue !== undefined) return attributesOf(value.kvlistValue.values);
  return value.stringValue ?? value.boolValue ?? value.doubleValue;
}

function timeOf(nanos: string): Time {
  const all = BigInt(nanos);
  return [Number(all / 1_000_000_000n), Number(all % 1_000_000_000n)];
}
