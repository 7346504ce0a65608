import type { Attributes } from '../../model/own-attributes.ts';
import type { SpanResource } from '../../model/span.ts';
import { keepCompiled } from '../../support/keep-compiled.ts';
import { OtlpBatch } from './otlp-batch.ts';
import {
  isScopeSpans,
  REQUEST,
  RESOURCE_SPANS,
  readResource,
  readScopeName,
  SCOPE_SPANS,
} from './otlp-protobuf-shared.ts';
import { readSpan } from './otlp-protobuf-span.ts';
import { BYTES, GROUP, MANY_FIELDS, type ProtobufReader } from './protobuf-reader.ts';
import { NO_RESOURCE, resourceOf } from './resource.ts';

/** The messages that are entered; all that lies in them is read at a time. */
const IN_REQUEST = 0;
const IN_RESOURCE_SPANS = 1;
const IN_SCOPE_SPANS = 2;

/**
 * Walks over a request in protobuf (opentelemetry-proto 1.11) once, as far as there is any of it, and goes on where more
 * has come:
 *
 *     request → ResourceSpans → ScopeSpans → Span
 *
 * Fields may come in any order. Everybody writes what spans share before them; where it follows them, they are told.
 */
export class RequestWalk {
  readonly #batch: OtlpBatch;
  #level = IN_REQUEST;
  /** Where the message of each level ends, from where the walk goes on. */
  #requestEnd: number;
  #resourceSpansEnd = 0;
  #scopeSpansEnd = 0;
  #resourceAttributes: Attributes | undefined;
  #resource: SpanResource | undefined;
  #scopeName = '';
  /** How many spans there were where these messages began. */
  #resourceSpansFrom = 0;
  #scopeSpansFrom = 0;
  #isResourceLate = false;
  #isScopeLate = false;
  #wanted = 0;

  /**
   * @param batch gets the spans.
   * @param bytes how long the request is.
   */
  constructor(batch: OtlpBatch, bytes: number) {
    this.#batch = batch;
    this.#requestEnd = bytes;
  }

  /** Whether it went over all of the request. */
  get isDone(): boolean {
    return this.#requestEnd === 0;
  }

  /** How many bytes must be there, from where the walk goes on, for the next field to be read. */
  get wanted(): number {
    return this.#wanted;
  }

  /**
   * Reads whole fields from the cursor on, which stands where the walk goes on, and leaves it where the first one begins
   * that is not whole.
   * @param length how many bytes there are, from the first of the reader on.
   * @throws MalformedBodyError
   */
  read(reader: ProtobufReader, length: number): void {
    reader.fieldsLeft = MANY_FIELDS;
    this.#moveEnds(reader.position);
    while (this.#step(reader, length));
    this.#moveEnds(-reader.position);
  }

  #moveEnds(by: number): void {
    this.#requestEnd += by;
    this.#resourceSpansEnd += by;
    this.#scopeSpansEnd += by;
  }

  /** Reads what there is of the message of this level. @returns whether another one follows. */
  #step(reader: ProtobufReader, length: number): boolean {
    switch (this.#level) {
      case IN_REQUEST:
        return this.#readRequest(reader, length);
      case IN_RESOURCE_SPANS:
        return this.#readResourceSpans(reader, length);
      default:
        return this.#readScopeSpans(reader, length);
    }
  }

  #readRequest(reader: ProtobufReader, length: number): boolean {
    const end = this.#requestEnd;
    reader.end = Math.min(end, length);
    while (reader.isInside) {
      const at = reader.position;
      if (this.#isCut(at, end, length)) return false;
      const tag = reader.tag();
      if (tag === REQUEST.resourceSpans) {
        this.#beginResourceSpans(reader, end);
        return true;
      }
      if (!this.#isWhole(reader, at, tag, end, length)) return false;
      reader.skip(tag);
    }
    return false;
  }

  #beginResourceSpans(reader: ProtobufReader, end: number): void {
    this.#resourceSpansEnd = reader.lengthWithin(end) + reader.position;
    this.#level = IN_RESOURCE_SPANS;
    this.#resourceAttributes = undefined;
    this.#resource = undefined;
    this.#isResourceLate = false;
    this.#resourceSpansFrom = this.#batch.size;
  }

  #readResourceSpans(reader: ProtobufReader, length: number): boolean {
    const end = this.#resourceSpansEnd;
    reader.end = Math.min(end, length);
    while (reader.isInside) {
      const at = reader.position;
      if (this.#isCut(at, end, length)) return false;
      const tag = reader.tag();
      if (isScopeSpans(tag)) {
        this.#beginScopeSpans(reader, end);
        return true;
      }
      if (!this.#isWhole(reader, at, tag, end, length)) return false;
      if (tag === RESOURCE_SPANS.resource) {
        this.#isResourceLate = this.#resource !== undefined;
        this.#resourceAttributes = readResource(reader, this.#resourceAttributes);
      } else reader.skip(tag);
    }
    if (end > length) return false;
    if (this.#isResourceLate) this.#batch.setResource(this.#resourceSpansFrom, this.#resourceNow());
    this.#level = IN_REQUEST;
    return true;
  }

  #resourceNow(): SpanResource {
    return this.#resourceAttributes === undefined ? NO_RESOURCE : resourceOf(this.#resourceAttributes);
  }

  #beginScopeSpans(reader: ProtobufReader, end: number): void {
    this.#scopeSpansEnd = reader.lengthWithin(end) + reader.position;
    this.#level = IN_SCOPE_SPANS;
    this.#scopeName = '';
    this.#isScopeLate = false;
    this.#scopeSpansFrom = this.#batch.size;
  }

  #readScopeSpans(reader: ProtobufReader, length: number): boolean {
    const end = this.#scopeSpansEnd;
    this.#resource ??= this.#resourceNow();
    const resource = this.#resource;
    reader.end = Math.min(end, length);
    while (reader.isInside) {
      const at = reader.position;
      if (this.#isCut(at, end, length)) return false;
      const tag = reader.tag();
      if (!this.#isWhole(reader, at, tag, end, length)) return false;
      if (tag === SCOPE_SPANS.spans) readSpan(reader, this.#scopeName, resource, this.#batch);
      else if (tag === SCOPE_SPANS.scope) {
        this.#isScopeLate = this.#batch.size > this.#scopeSpansFrom;
        this.#scopeName = readScopeName(reader) ?? this.#scopeName;
      } else reader.skip(tag);
    }
    if (end > length) return false;
    if (this.#isScopeLate) this.#batch.setScopeName(this.#scopeSpansFrom, this.#scopeName);
    this.#level = IN_RESOURCE_SPANS;
    return true;
  }

  /** Whether what tells how long the field is may go on in the next piece. */
  #isCut(at: number, end: number, length: number): boolean {
    if (length - at >= MAX_HEAD || end <= length) return false;
    this.#wanted = Math.min(length + MAX_HEAD, end) - at;
    return true;
  }

  /** Whether all of the field is there. The cursor, behind its tag, goes back to its beginning where it is not. */
  #isWhole(reader: ProtobufReader, at: number, tag: number, end: number, length: number): boolean {
    if (end <= length) return true;
    const type = tag & 7;
    let fieldEnd = 0;
    if (type === BYTES) {
      const lengthAt = reader.position;
      fieldEnd = reader.lengthWithin(end) + reader.position;
      reader.position = lengthAt;
    } else if (type === GROUP) fieldEnd = end;
    if (fieldEnd <= length) return true;
    reader.position = at;
    this.#wanted = fieldEnd - at;
    return false;
  }
}

/** Two numbers of ten bytes, which is what a tag and a length, or a value that has none, take at most. */
const MAX_HEAD = 20;

keepCompiled(new RequestWalk(new OtlpBatch(), 0));
