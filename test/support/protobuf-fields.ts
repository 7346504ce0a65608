import { MalformedBodyError } from '../../src/source/otlp/malformed-body-error.ts';

/** A field of a protobuf message: a varint as its bytes, anything else as its bare value. */
export interface ProtobufField {
  readonly number: number;
  readonly type: number;
  readonly value: Buffer;
}

export const WIRE = { varint: 0, fixed64: 1, bytes: 2, group: 3, groupEnd: 4, fixed32: 5 } as const;

/** All fields of a message. @throws MalformedBodyError where one does not end where it must. */
export function protobufFields(bytes: Buffer): ProtobufField[] {
  const fields: ProtobufField[] = [];
  for (let at = 0; at < bytes.length; ) {
    const { number, type, valueAt } = tagAt(bytes, at);
    at = endOfValue(bytes, valueAt, number, type, 1);
    const from = type === WIRE.bytes ? endOfVarint(bytes, valueAt) : valueAt;
    fields.push({ number, type, value: bytes.subarray(from, at) });
  }
  return fields;
}

/** Unlike what it is given, what this gives begins with its tag and length. */
export function protobufField({ number, type, value }: ProtobufField): Buffer {
  const length = type === WIRE.bytes ? varintOf(BigInt(value.length)) : [];
  return Buffer.concat([Buffer.from([...varintOf(BigInt(number * 8 + type)), ...length]), value]);
}

/** The number of 64 bits that the bytes of a varint say. */
export function numberOf(varint: Uint8Array): bigint {
  const bits = [...varint].reduceRight((number, byte) => (number << 7n) | BigInt(byte & 0x7f), 0n);
  return BigInt.asUintN(64, bits);
}

export function varintOf(number: bigint): number[] {
  return number < 0x80n ? [Number(number)] : [Number(number & 0x7fn) | 0x80, ...varintOf(number >> 7n)];
}

function tagAt(bytes: Buffer, at: number) {
  const valueAt = endOfVarint(bytes, at);
  const tag = numberOf(bytes.subarray(at, valueAt));
  if (tag < 8n || tag >= 2n ** 32n) throw new MalformedBodyError('no field has this number');
  return { number: Number(tag >> 3n), type: Number(tag & 7n), valueAt };
}

function endOfValue(bytes: Buffer, at: number, number: number, type: number, groups: number): number {
  switch (type) {
    case WIRE.varint:
      return endOfVarint(bytes, at);
    case WIRE.fixed64:
      return inside(bytes, at + 8);
    case WIRE.fixed32:
      return inside(bytes, at + 4);
    case WIRE.bytes: {
      const from = endOfVarint(bytes, at);
      return inside(bytes, from + Number(numberOf(bytes.subarray(at, from))));
    }
    case WIRE.group:
      return endOfGroup(bytes, at, number, groups);
    default:
      throw new MalformedBodyError('no value has this type');
  }
}

/** So many groups in one another are still read. */
const MAX_GROUPS = 64;

function endOfGroup(bytes: Buffer, at: number, group: number, groups: number): number {
  if (groups > MAX_GROUPS) throw new MalformedBodyError('too many groups');
  const { number, type, valueAt } = tagAt(bytes, at);
  if (type === WIRE.groupEnd && number === group) return valueAt;
  return endOfGroup(bytes, endOfValue(bytes, valueAt, number, type, groups + 1), group, groups);
}

function endOfVarint(bytes: Buffer, at: number): number {
  const length = bytes.subarray(at, at + 10).findIndex((byte) => byte < 0x80) + 1;
  if (length === 0) throw new MalformedBodyError('a number has no end');
  return at + length;
}

function inside(bytes: Buffer, end: number): number {
  if (end > bytes.length) throw new MalformedBodyError('a value has no end');
  return end;
}
