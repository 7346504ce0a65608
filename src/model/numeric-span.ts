import { keepCompiled } from '../support/keep-compiled.ts';
import type { Span, SpanKind, SpanResource } from './span.ts';
import { spanIdOf } from './span-id.ts';
import type { Time } from './time.ts';

/** Stands for a time that is not given, in place of its seconds: a small number, of a second in 1901 that no clock shows. */
export const NO_TIME = -(2 ** 31);

/**
 * A span as sources read it. Ids and times are kept as numbers, and become text and tuples only where somebody asks: of
 * most spans nobody does. A source fills it in; after that it is not changed.
 */
export class NumericSpan implements Span {
  traceId = '';
  /** The halves of the ids as signed 32-bit numbers, all 0 where there is no id. */
  spanHigh = 0;
  spanLow = 0;
  parentHigh = 0;
  parentLow = 0;
  startSeconds = NO_TIME;
  startNanos = 0;
  endSeconds = NO_TIME;
  endNanos = 0;
  name = '';
  kind: SpanKind = 0;
  /** Status and flags by their OTLP numbers. */
  statusCode = 0;
  flags = 0;
  scopeName: string;
  resource: SpanResource;
  attributes: Readonly<Record<string, unknown>>;

  constructor(scopeName: string, resource: SpanResource, attributes: Readonly<Record<string, unknown>>) {
    this.scopeName = scopeName;
    this.resource = resource;
    this.attributes = attributes;
  }

  get spanId(): string {
    return spanIdOf(this.spanHigh, this.spanLow);
  }

  get hasParent(): boolean {
    return (this.parentHigh | this.parentLow) !== 0;
  }

  get parentSpanId(): string | undefined {
    return this.hasParent ? spanIdOf(this.parentHigh, this.parentLow) : undefined;
  }

  get parentIsRemote(): boolean | undefined {
    return (this.flags & HAS_IS_REMOTE) === 0 ? undefined : (this.flags & IS_REMOTE) !== 0;
  }

  set parentIsRemote(isRemote: boolean | undefined) {
    this.flags = isRemote === undefined ? 0 : isRemote ? HAS_IS_REMOTE | IS_REMOTE : HAS_IS_REMOTE;
  }

  get start(): Time {
    return [this.startSeconds, this.startNanos];
  }

  get end(): Time | undefined {
    return this.endSeconds === NO_TIME ? undefined : [this.endSeconds, this.endNanos];
  }

  get isError(): boolean {
    return this.statusCode === STATUS_ERROR;
  }
}

/** Bits of a span's `flags` from opentelemetry-proto 1.11: whether it says anything of its parent, and what. */
const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;
const STATUS_ERROR = 2;

/** The span as an object whose fields are all its own, so that it can be copied, compared and printed. */
export function plainSpan(span: Span): Span {
  if (!(span instanceof NumericSpan)) return span;
  const { traceId, spanId, parentSpanId, parentIsRemote, name, kind } = span;
  const { start, end, isError, scopeName, resource, attributes } = span;
  return {
    traceId,
    spanId,
    parentSpanId,
    parentIsRemote,
    name,
    kind,
    start,
    end,
    isError,
    scopeName,
    resource,
    attributes,
  };
}

keepCompiled(new NumericSpan('', { identity: '', serviceName: undefined }, {}));
