import type { Wants } from '../../src/conventions/attribute-names.ts';
import { numberOf, protobufField, protobufFields, varintOf, WIRE } from './protobuf-fields.ts';

/**
 * A trace request in protobuf as protobufjs reads it right: only fields that a Span is made of, each of the type that it
 * is declared with, and messages that came in parts made whole. protobufjs takes a field of another type for a good one,
 * the last part for the whole, and the lower half of a number for all of it, where protobuf says otherwise.
 *
 *     bytes → fields, each known to end inside its message → those that count → bytes
 *
 * What is not read may be anything: unknown fields, and the values of attributes that are not wanted.
 *
 * @throws MalformedBodyError where what is read is no protobuf.
 */
export function strictProtobuf(bytes: Buffer, ofSpans: Wants, ofResources: Wants): Buffer {
  const status = message(last(3, WIRE.varint, enumNumber));
  const span = message(
    ...[1, 2, 4, 5].map((number) => last(number, WIRE.bytes)),
    last(6, WIRE.varint, enumNumber),
    last(7, WIRE.fixed64),
    last(8, WIRE.fixed64),
    each(9, keyValue(ofSpans, 0)),
    merged(15, status),
    last(16, WIRE.fixed32),
  );
  const scope = message(last(1, WIRE.bytes));
  const scopeSpans = message(merged(1, scope), each(2, span));
  const resource = message(each(1, keyValue(ofResources, 0)));
  // The number 1000 is what scopes had until 2022.
  const resourceSpans = message(merged(1, resource), each(2, scopeSpans), each(1_000, scopeSpans, 2));
  return message(each(1, resourceSpans))(bytes);
}

/** Makes the bytes of a value those that count. */
type Read = (value: Buffer) => Buffer;

interface Rule {
  readonly number: number;
  readonly type: number;
  readonly read: Read;
  /** What becomes of several in a message. Of a oneof only the last field of all is kept. */
  readonly several: 'each' | 'last' | 'merged' | 'oneof';
  /** The number that it gets. */
  readonly as: number;
}

const asItIs: Read = (value) => value;

function each(number: number, read: Read, as = number): Rule {
  return { number, type: WIRE.bytes, read, several: 'each', as };
}

function last(number: number, type: number, read = asItIs): Rule {
  return { number, type, read, several: 'last', as: number };
}

/** Parts of a message, one after the other, are the whole. */
function merged(number: number, read: Read): Rule {
  return { number, type: WIRE.bytes, read, several: 'merged', as: number };
}

function oneof(number: number, type: number, read = asItIs): Rule {
  return { number, type, read, several: 'oneof', as: 0 };
}

function message(...rules: readonly Rule[]): Read {
  return (bytes) => {
    const kept: { readonly rule: Rule; readonly value: Buffer }[] = [];
    for (const field of protobufFields(bytes)) {
      const rule = rules.find(({ number, type }) => number === field.number && type === field.type);
      if (rule === undefined) continue;
      const value = rule.read(field.value);
      const at = rule.several === 'each' ? -1 : kept.findIndex((other) => replaces(rule, other.rule));
      const [before] = at < 0 ? [] : kept.splice(at, 1);
      const parts = rule.several === 'merged' && before !== undefined ? [before.value, value] : [value];
      kept.push({ rule, value: Buffer.concat(parts) });
    }
    return Buffer.concat(
      kept.map(({ rule: { as, number, type }, value }) =>
        protobufField({ number: as || number, type, value }),
      ),
    );
  };
}

function replaces(rule: Rule, before: Rule): boolean {
  return rule === before || (rule.several === 'oneof' && before.several === 'oneof');
}

const MAX_KEY_LENGTH = 1_024;
const MAX_DEPTH = 64;

/** An attribute, with its value where that is wanted. Of several values the last counts. */
function keyValue(wants: Wants, depth: number): Read {
  return (bytes) => {
    const fields = protobufFields(bytes).filter(({ type }) => type === WIRE.bytes);
    const key = fields.findLast(({ number }) => number === 1)?.value.toString('utf8') ?? '';
    const isWanted = key.length <= MAX_KEY_LENGTH && wants(key);
    // A value that another follows is not read.
    const parts = message(last(1, WIRE.bytes), ...(isWanted ? [last(2, WIRE.bytes)] : []))(bytes);
    return message(last(1, WIRE.bytes), last(2, WIRE.bytes, anyValue(depth)))(parts);
  };
}

const everyKey = () => true;

/** A value without the lists and maps in it that are too deep. */
function anyValue(depth: number): Read {
  return (bytes) => {
    const list = message(each(1, anyValue(depth + 1)));
    const map = message(each(1, keyValue(everyKey, depth + 1)));
    const nested = depth < MAX_DEPTH ? [oneof(5, WIRE.bytes, list), oneof(6, WIRE.bytes, map)] : [];
    return message(
      oneof(1, WIRE.bytes),
      oneof(2, WIRE.varint, (varint) => Buffer.from([numberOf(varint) === 0n ? 0 : 1])),
      oneof(3, WIRE.varint),
      oneof(4, WIRE.fixed64),
      ...nested,
      oneof(7, WIRE.bytes),
    )(bytes);
  };
}

/** One of more than 32 bits names nothing. protobufjs would cut it, and so make it the number of something else. */
function enumNumber(varint: Buffer): Buffer {
  const number = numberOf(varint);
  const isOf32Bits = BigInt.asIntN(32, number) === BigInt.asIntN(64, number);
  return Buffer.from(varintOf(isOf32Bits ? number : BigInt.asUintN(64, -1n)));
}
