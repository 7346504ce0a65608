import type { Random } from '../wire/mutations.ts';

/**
 * The same JSON as hardly anyone writes it: members in another order, twice or under escaped names, blanks anywhere,
 * numbers in place of digits in quotes, and here and there a value that does not belong.
 */
export function scrambledJson(value: unknown, random: Random): string {
  const gap = random.of(['', '', '', ' ', '\n\t', '\r\n ']);
  if (random.below(200) === 0)
    return random.of(['null', '7', '"x"', '[]', '{}', '-1.5e3', '[[],{"a":[]}]', 'true']);
  if (Array.isArray(value)) {
    return `[${gap}${value.map((item) => scrambledJson(item, random)).join(`${gap},`)}${gap}]`;
  }
  if (typeof value === 'object' && value !== null) {
    let members = Object.entries(value).filter(([, member]) => member !== undefined);
    if (random.below(12) === 0) members = members.toReversed();
    if (random.below(12) === 0) members = [...members, ...members.slice(0, 1)];
    if (random.below(8) === 0) members = [['later', { field: [1, 'x'] }], ...members];
    const texts = members.map(
      ([name, member]) => `${nameOf(name, random)}${gap}:${scrambledJson(member, random)}`,
    );
    return `{${texts.join(`,${gap}`)}${gap}}`;
  }
  if (typeof value === 'string' && /^(0|-?[1-9]\d*)$/.test(value) && random.below(2) === 0) return value;
  if (typeof value === 'string' && random.below(10) === 0) return escaped(value);
  return JSON.stringify(value);
}

function nameOf(name: string, random: Random): string {
  return random.below(60) === 0 ? escaped(name) : JSON.stringify(name);
}

function escaped(text: string): string {
  const units = Array.from(
    text.split(''),
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `"${units.join('')}"`;
}

/**
 * The same message with its fields, and those of messages in it, in another order, twice, in parts or among unknown
 * ones. What only looks like a message is scrambled too, so that not every result is good.
 */
export function scrambledProtobuf(bytes: Buffer, random: Random, depth = 0): Buffer {
  let fields = fieldsOf(bytes);
  if (fields === undefined) return bytes;
  fields = fields.flatMap(({ tag, value }) => {
    const isMessage = (tag & 7) === 2 && depth < 7 && value.length > 1;
    if (!isMessage) return { tag, value };
    return partsOf(scrambledProtobuf(value, random, depth + 1), random).map((part) => ({ tag, value: part }));
  });
  if (random.below(4) === 0) fields = fields.toReversed();
  if (random.below(6) === 0) fields = [...fields, ...fields.slice(0, 1 + random.below(2))];
  if (random.below(6) === 0)
    fields = [{ tag: random.of([0x08, 0x0d, 0x3a, 0x4d, 0x99]), value: random.bytes(9) }, ...fields];
  return Buffer.concat(fields.map((field) => bytesOf(field, random)));
}

/** A message whole, or as two of which each has some of its fields. */
function partsOf(message: Buffer, random: Random): readonly Buffer[] {
  const fields = random.below(12) === 0 ? (fieldsOf(message) ?? []) : [];
  if (fields.length < 2) return [message];
  const middle = 1 + random.below(fields.length - 1);
  return [fields.slice(0, middle), fields.slice(middle)].map((part) =>
    Buffer.concat(part.map((field) => bytesOf(field, random))),
  );
}

interface Field {
  readonly tag: number;
  readonly value: Buffer;
}

/** @returns undefined where the bytes are no message of small fields. */
function fieldsOf(bytes: Buffer): Field[] | undefined {
  const fields: Field[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = varintAt(bytes, at);
    if (tag === undefined || tag.value >>> 3 === 0) return undefined;
    at = tag.end;
    const end = endOfValue(bytes, at, tag.value & 7);
    if (end === undefined || end > bytes.length) return undefined;
    const from = (tag.value & 7) === 2 ? (varintAt(bytes, at)?.end ?? at) : at;
    fields.push({ tag: tag.value, value: bytes.subarray(from, end) });
    at = end;
  }
  return fields;
}

function endOfValue(bytes: Buffer, at: number, type: number): number | undefined {
  if (type === 1) return at + 8;
  if (type === 5) return at + 4;
  const number = varintAt(bytes, at);
  if (number === undefined || type === 0) return number?.end;
  return type === 2 ? number.end + number.value : undefined;
}

/** Of up to four bytes; what is longer is only looked for its end. */
function varintAt(bytes: Buffer, at: number): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  for (let size = 0; size < 10; size++) {
    const byte = bytes[at + size];
    if (byte === undefined) return undefined;
    if (size < 4) value |= (byte & 0x7f) << (7 * size);
    if (byte < 0x80) return { value, end: at + size + 1 };
  }
  return undefined;
}

function bytesOf({ tag, value }: Field, random: Random): Buffer {
  const length = (tag & 7) === 2 ? varint(value.length, random) : [];
  const kept = (tag & 7) === 1 ? 8 : (tag & 7) === 5 ? 4 : value.length;
  return Buffer.concat([Buffer.from([...varint(tag, random), ...length]), value.subarray(0, kept)]);
}

/** Here and there in more bytes than it needs. */
function varint(value: number, random: Random): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return random.below(60) === 0 ? [...bytes, rest | 0x80, 0] : [...bytes, rest];
}
