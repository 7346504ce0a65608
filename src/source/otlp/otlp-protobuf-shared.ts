import { type Attributes, newAttributes } from '../../model/own-attributes.ts';
import { MAX_ATTRIBUTE_LENGTH } from '../../support/meaningful.ts';
import { type ProtobufReader, tags } from './protobuf-reader.ts';
import { readKeyValue } from './protobuf-value.ts';
import { isResourceKey } from './resource.ts';
import { TextTable } from './text-table.ts';

/*
 * Reads what the spans of a request share, and tells where it and they stand (opentelemetry-proto 1.11).
 */

/** Field numbers and wire types. */
export const REQUEST = { resourceSpans: tags.bytes(1) };
export const RESOURCE_SPANS = { resource: tags.bytes(1), scopeSpans: tags.bytes(2) };
export const SCOPE_SPANS = { scope: tags.bytes(1), spans: tags.bytes(2) };
const RESOURCE = { attributes: tags.bytes(1) };
const SCOPE = { name: tags.bytes(1) };

/** The number that `scopeSpans` had until 2022, when it had another name; its layout is the same. */
const LIBRARY_SPANS = tags.bytes(1000);

const texts = new TextTable();

/** Whether this field of a ResourceSpans is a ScopeSpans. */
export function isScopeSpans(tag: number): boolean {
  return tag === RESOURCE_SPANS.scopeSpans || tag === LIBRARY_SPANS;
}

/** Reads a Resource. @param before the attributes of those before it in the same ResourceSpans; undefined where there are none. */
export function readResource(reader: ProtobufReader, before: Attributes | undefined): Attributes | undefined {
  let attributes = before;
  const outer = reader.enter();
  while (reader.isInside) {
    const tag = reader.tag();
    if (tag === RESOURCE.attributes) {
      attributes ??= newAttributes();
      readKeyValue(reader, attributes, isResourceKey);
    } else reader.skip(tag);
  }
  reader.leave(outer);
  return attributes;
}

/** Reads a Scope. @returns undefined where it has no name. */
export function readScopeName(reader: ProtobufReader): string | undefined {
  let name: string | undefined;
  const outer = reader.enter();
  while (reader.isInside) {
    const tag = reader.tag();
    if (tag === SCOPE.name) name = reader.text(MAX_ATTRIBUTE_LENGTH, texts);
    else reader.skip(tag);
  }
  reader.leave(outer);
  return name;
}
