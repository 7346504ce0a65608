import { PbfWriter } from 'pbf';

/** A request, or a part of one, in OTLP's JSON mapping. */
export type OtlpJson = { readonly [field: string]: unknown };

/**
 * Encodes an OTLP/JSON request as protobuf (opentelemetry-proto 1.11), so that one recording can be sent either way.
 * Written apart from the decoder, field by field, to be its counterpart and not its mirror.
 */
export function encodeOtlp(request: OtlpJson): Uint8Array {
  const pbf = new PbfWriter();
  for (const item of list(request.resourceSpans)) pbf.writeMessage(1, resourceSpans, item);
  return pbf.finish().slice();
}

function resourceSpans(json: OtlpJson, pbf: PbfWriter): void {
  if (json.resource) pbf.writeMessage(1, resource, json.resource as OtlpJson);
  for (const item of list(json.scopeSpans)) pbf.writeMessage(2, scopeSpans, item);
  text(pbf, 3, json.schemaUrl);
}

function resource(json: OtlpJson, pbf: PbfWriter): void {
  for (const item of list(json.attributes)) pbf.writeMessage(1, keyValue, item);
}

function scopeSpans(json: OtlpJson, pbf: PbfWriter): void {
  if (json.scope) pbf.writeMessage(1, scope, json.scope as OtlpJson);
  for (const item of list(json.spans)) pbf.writeMessage(2, span, item);
}

function scope(json: OtlpJson, pbf: PbfWriter): void {
  text(pbf, 1, json.name);
  text(pbf, 2, json.version);
}

function span(json: OtlpJson, pbf: PbfWriter): void {
  hex(pbf, 1, json.traceId);
  hex(pbf, 2, json.spanId);
  text(pbf, 3, json.traceState);
  hex(pbf, 4, json.parentSpanId);
  text(pbf, 5, json.name);
  varint(pbf, 6, json.kind);
  fixed64(pbf, 7, json.startTimeUnixNano);
  fixed64(pbf, 8, json.endTimeUnixNano);
  for (const item of list(json.attributes)) pbf.writeMessage(9, keyValue, item);
  varint(pbf, 10, json.droppedAttributesCount);
  for (const item of list(json.events)) pbf.writeMessage(11, event, item);
  if (json.status) pbf.writeMessage(15, status, json.status as OtlpJson);
  if (json.flags !== undefined) {
    pbf.writeTag(16, 5);
    pbf.writeFixed32(Number(json.flags));
  }
}

function event(json: OtlpJson, pbf: PbfWriter): void {
  fixed64(pbf, 1, json.timeUnixNano);
  text(pbf, 2, json.name);
  for (const item of list(json.attributes)) pbf.writeMessage(3, keyValue, item);
}

function status(json: OtlpJson, pbf: PbfWriter): void {
  text(pbf, 2, json.message);
  varint(pbf, 3, json.code);
}

function keyValue(json: OtlpJson, pbf: PbfWriter): void {
  text(pbf, 1, json.key);
  if (json.value) pbf.writeMessage(2, anyValue, json.value as OtlpJson);
}

function anyValue(json: OtlpJson, pbf: PbfWriter): void {
  text(pbf, 1, json.stringValue);
  varint(pbf, 2, json.boolValue);
  varint(pbf, 3, json.intValue);
  if (json.doubleValue !== undefined) {
    pbf.writeTag(4, 1);
    pbf.writeDouble(Number(json.doubleValue));
  }
  if (json.arrayValue) {
    pbf.writeMessage(
      5,
      (value: OtlpJson) => {
        for (const item of list(value.values)) pbf.writeMessage(1, anyValue, item);
      },
      json.arrayValue as OtlpJson,
    );
  }
  if (json.kvlistValue) {
    pbf.writeMessage(
      6,
      (value: OtlpJson) => {
        for (const item of list(value.values)) pbf.writeMessage(1, keyValue, item);
      },
      json.kvlistValue as OtlpJson,
    );
  }
  if (json.bytesValue !== undefined) bytes(pbf, 7, Buffer.from(String(json.bytesValue), 'base64'));
}

function list(value: unknown): readonly OtlpJson[] {
  return Array.isArray(value) ? value : [];
}

function text(pbf: PbfWriter, field: number, value: unknown): void {
  if (value !== undefined) bytes(pbf, field, Buffer.from(String(value), 'utf8'));
}

function hex(pbf: PbfWriter, field: number, value: unknown): void {
  if (value !== undefined) bytes(pbf, field, Buffer.from(String(value), 'hex'));
}

function bytes(pbf: PbfWriter, field: number, value: Uint8Array): void {
  pbf.writeTag(field, 2);
  pbf.writeBytes(value);
}

/** Through bigint, since PbfWriter's own takes doubles. */
function fixed64(pbf: PbfWriter, field: number, value: unknown): void {
  if (value === undefined) return;
  const number = BigInt(value as string | number);
  pbf.writeTag(field, 1);
  pbf.writeFixed32(Number(BigInt.asIntN(32, number)));
  pbf.writeFixed32(Number(BigInt.asIntN(32, number >> 32n)));
}

function varint(pbf: PbfWriter, field: number, value: unknown): void {
  if (value === undefined) return;
  pbf.writeTag(field, 0);
  let rest = BigInt.asUintN(64, BigInt(value as string | number | boolean));
  for (; rest > 0x7fn; rest >>= 7n) {
    pbf.writeVarint(Number(rest & 0x7fn));
    setHighBit(pbf);
  }
  pbf.writeVarint(Number(rest));
}

/** Marks the byte just written as one that another follows. */
function setHighBit(pbf: PbfWriter): void {
  pbf.buf[pbf.pos - 1] = (pbf.buf[pbf.pos - 1] ?? 0) | 0x80;
}
