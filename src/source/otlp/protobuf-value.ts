import type { Wants } from '../../conventions/attribute-names.ts';
import { type Attributes, newAttributes } from '../../model/own-attributes.ts';
import { type ProtobufReader, tags } from './protobuf-reader.ts';
import { TextTable } from './text-table.ts';
import { MAX_KEY_LENGTH, MAX_VALUE_DEPTH, ValueBudget } from './value-budget.ts';

/*
 * Reads AnyValue and KeyValue of opentelemetry-proto 1.11: what attributes are made of.
 */

export const KEY = tags.bytes(1);
export const VALUE = tags.bytes(2);
export const ANY_STRING = 0x0a;
const ANY_BOOL = 0x10;
const ANY_INT = 0x18;
const ANY_DOUBLE = 0x21;
const ANY_ARRAY = 0x2a;
const ANY_KVLIST = 0x32;
const ANY_BYTES = 0x3a;
/** Of ArrayValue and KeyValueList alike. */
const VALUES = tags.bytes(1);

const texts = new TextTable();

/** Reads an attribute into `into` where its key is wanted; its value is not looked at otherwise. */
export function readKeyValue(
  reader: ProtobufReader,
  into: Attributes,
  wants: Wants,
  budget?: ValueBudget,
  depth = 0,
): void {
  let key = '';
  let valueAt = -1;
  const outer = reader.enter();
  while (reader.isInside) {
    const tag = reader.tag();
    if (tag === KEY) {
      key = reader.text(MAX_KEY_LENGTH + 1, texts);
      continue;
    }
    if (tag === VALUE) valueAt = reader.position;
    reader.skip(tag);
  }
  if (valueAt >= 0 && key.length <= MAX_KEY_LENGTH && wants(key)) {
    const end = reader.position;
    reader.position = valueAt;
    const value = readAnyValue(reader, budget ?? new ValueBudget(), depth);
    if (value !== undefined) into[key] = value;
    reader.position = end;
  }
  reader.leave(outer);
}

/** @returns undefined for a value that is not set, of an unknown kind, or too deep. */
export function readAnyValue(reader: ProtobufReader, budget: ValueBudget, depth: number): unknown {
  let value: unknown;
  const outer = reader.enter();
  while (reader.isInside) {
    const tag = reader.tag();
    switch (tag) {
      case ANY_STRING:
        value = budget.text(reader.text(budget.left, texts));
        break;
      case ANY_BOOL:
        value = reader.uint() !== 0;
        break;
      case ANY_INT:
        value = reader.int64();
        break;
      case ANY_DOUBLE:
        value = reader.double();
        break;
      case ANY_ARRAY:
        if (depth < MAX_VALUE_DEPTH) value = readList(reader, budget, depth + 1);
        else reader.skip(tag);
        break;
      case ANY_KVLIST:
        if (depth < MAX_VALUE_DEPTH) value = readMap(reader, budget, depth + 1);
        else reader.skip(tag);
        break;
      case ANY_BYTES:
        value = budget.bytes(reader.bytes());
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.leave(outer);
  return value;
}

function readList(reader: ProtobufReader, budget: ValueBudget, depth: number): unknown[] {
  const list: unknown[] = [];
  const outer = reader.enter();
  while (reader.isInside) {
    const tag = reader.tag();
    if (tag === VALUES && budget.element()) list.push(readAnyValue(reader, budget, depth) ?? null);
    else reader.skip(tag);
  }
  reader.leave(outer);
  return list;
}

function readMap(reader: ProtobufReader, budget: ValueBudget, depth: number): Attributes {
  const map = newAttributes();
  const outer = reader.enter();
  while (reader.isInside) {
    const tag = reader.tag();
    if (tag === VALUES && budget.element()) readKeyValue(reader, map, isAnyKey, budget, depth);
    else reader.skip(tag);
  }
  reader.leave(outer);
  return map;
}

function isAnyKey(): boolean {
  return true;
}
