import { NumericSpan } from '../model/numeric-span.ts';
import type { Span, SpanKind, SpanResource } from '../model/span.ts';
import { mustReadSpanId, readSpanId } from '../model/span-id.ts';
import { mustBeTime, type Time } from '../model/time.ts';

/**
 * The part of an SDK's span that is read. Structural, because the API admits one SDK only and the lines differ: 1.x has
 * `parentSpanId` and `instrumentationLibrary`, 2.x and 3.x have `parentSpanContext` and `instrumentationScope`, and
 * attribute values of 3.x are of any type.
 */
export interface SdkSpan {
  readonly name: string;
  readonly kind: number;
  spanContext(): { readonly traceId: string; readonly spanId: string };
  readonly parentSpanId?: string | undefined;
  readonly parentSpanContext?:
    | { readonly spanId: string; readonly isRemote?: boolean | undefined }
    | undefined;
  readonly startTime: Time | readonly number[];
  readonly endTime: Time | readonly number[];
  readonly ended: boolean;
  readonly status: { readonly code: number };
  readonly attributes: object;
  readonly resource: SdkResource;
  readonly instrumentationLibrary?: { readonly name: string };
  readonly instrumentationScope?: { readonly name: string };
}

interface SdkResource {
  readonly attributes: object;
  readonly asyncAttributesPending?: boolean;
  /** 2.x and 3.x. */
  getRawAttributes?(): readonly (readonly [key: string, value: unknown, ...rest: unknown[]])[];
  /** 1.x. */
  readonly _syncAttributes?: object;
}

/** Reads SDK spans as the pipeline wants them. A span is read only; nothing of it is kept but what is copied here. */
export class SdkSpanReader {
  readonly #resources = new WeakMap<object, SpanResource>();

  /**
   * @param isRemote whether the parent is in another process, where the span itself does not say (1.x).
   * @throws RangeError where the span id is not 16 hex digits, or a time none that can be written down.
   */
  read(span: SdkSpan, isRemote: boolean | undefined): Span {
    const { traceId, spanId } = span.spanContext();
    const scope = span.instrumentationScope ?? span.instrumentationLibrary;
    const read = new NumericSpan(
      textOf(scope?.name),
      this.#resourceOf(span.resource),
      span.attributes as Readonly<Record<string, unknown>>,
    );
    read.traceId = traceId;
    mustReadSpanId(spanId, ID);
    read.spanHigh = ID[0] ?? 0;
    read.spanLow = ID[1] ?? 0;
    const parentSpanId = textOf(span.parentSpanContext?.spanId ?? span.parentSpanId);
    if (parentSpanId !== lastParentId) readParent(parentSpanId);
    read.parentHigh = PARENT[0] ?? 0;
    read.parentLow = PARENT[1] ?? 0;
    read.parentIsRemote = span.parentSpanContext?.isRemote ?? isRemote;
    read.name = textOf(span.name);
    read.kind = kindOf(span.kind);
    const start = mustBeTime(span.startTime as Time);
    read.startSeconds = start[0];
    read.startNanos = start[1];
    if (span.ended) {
      const end = mustBeTime(span.endTime as Time);
      read.endSeconds = end[0];
      read.endNanos = end[1];
    }
    read.statusCode = span.status.code;
    return read;
  }

  /** All spans of a process share its clock, so they are of one identity whatever their providers say. */
  #resourceOf(resource: SdkResource): SpanResource {
    const known = this.#resources.get(resource);
    if (known !== undefined) return known;
    const isPending = resource.asyncAttributesPending === true;
    const serviceName = isPending ? earlyServiceName(resource) : serviceNameIn(resource.attributes);
    const made = {
      identity: 'process',
      serviceName: typeof serviceName === 'string' && serviceName !== '' ? serviceName : undefined,
    };
    if (!isPending) this.#resources.set(resource, made);
    return made;
  }
}

/**
 * Looks at what `read` will read of these spans. They have mostly left the processor's cache since they were written;
 * looked at one by one, with much else to do between, each is waited for, while so the memory brings several at a time.
 *
 * @returns a number that has to go somewhere, lest the engine find out that all of this is for nothing.
 */
export function lookAhead(spans: readonly (SdkSpan | undefined)[], from: number, until: number): number {
  let seen = 0;
  for (let at = from; at < until; at++) {
    const span = spans[at];
    if (span === undefined) continue;
    const { traceId, spanId } = span.spanContext();
    const parentSpanId = span.parentSpanContext?.spanId ?? '';
    seen ^= traceId.length ^ spanId.length ^ parentSpanId.length ^ span.name.length;
    seen ^= span.status.code ^ (span.startTime[0] ?? 0) ^ (span.endTime[0] ?? 0);
    for (const key in span.attributes) {
      seen ^= key.length;
      break;
    }
  }
  return seen;
}

/** While some attributes are still being found out, reading them all is an error in the application's log. */
function earlyServiceName(resource: SdkResource): unknown {
  const raw = resource.getRawAttributes?.();
  if (raw === undefined) return serviceNameIn(resource._syncAttributes ?? {});
  return raw.find(([key, value]) => key === 'service.name' && typeof value === 'string')?.[1];
}

function serviceNameIn(attributes: object): unknown {
  return (attributes as Readonly<Record<string, unknown>>)['service.name'];
}

const ID = new Int32Array(2);
/** Spans that come together often have one parent. */
const PARENT = new Int32Array(2);
let lastParentId = '';

/** What stands there where there is no parent differs from SDK to SDK. */
function readParent(id: string): void {
  if (id === '' || !readSpanId(id, PARENT, 0)) PARENT.fill(0);
  lastParentId = id;
}

/** Nobody checks what an application passes for a name. */
function textOf(name: unknown): string {
  return typeof name === 'string' ? name : '';
}

/** The API counts kinds from INTERNAL = 0, OTLP from UNSPECIFIED = 0. */
function kindOf(kind: number): SpanKind {
  return kind >= 0 && kind <= 4 ? ((kind + 1) as SpanKind) : 0;
}
