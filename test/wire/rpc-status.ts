import { PbfReader } from 'pbf';

/** A google.rpc.Status as either encoding carries it. */
export interface RpcStatus {
  code: number;
  message: string;
  /** By the last part of their type. */
  readonly details: Record<string, unknown>;
}

export function readRpcStatus(body: Uint8Array, contentType: unknown): RpcStatus {
  if (contentType !== 'application/json') return readProtobuf(body);
  const { code, message, details = [] } = JSON.parse(Buffer.from(body).toString());
  const named = details.map(({ '@type': type, ...rest }: Record<string, unknown>) => [nameOf(type), rest]);
  return { code, message, details: Object.fromEntries(named) };
}

function readProtobuf(body: Uint8Array): RpcStatus {
  const status: RpcStatus = { code: 0, message: '', details: {} };
  new PbfReader(body).readFields((tag, _, pbf) => {
    if (tag === 1) status.code = pbf.readVarint();
    if (tag === 2) status.message = pbf.readString();
    if (tag === 3) {
      let type = '';
      let value: Uint8Array = new Uint8Array();
      pbf.readMessage((field) => {
        if (field === 1) type = pbf.readString();
        if (field === 2) value = pbf.readBytes();
      }, undefined);
      status.details[nameOf(type)] =
        nameOf(type) === 'RetryInfo' ? readRetryInfo(value) : readBadRequest(value);
    }
  }, undefined);
  return status;
}

function readRetryInfo(bytes: Uint8Array): unknown {
  let seconds = 0;
  new PbfReader(bytes).readFields((tag, _, pbf) => {
    if (tag !== 1) return;
    pbf.readMessage((field) => {
      if (field === 1) seconds = pbf.readVarint();
    }, undefined);
  }, undefined);
  return { retryDelay: `${seconds}s` };
}

function readBadRequest(bytes: Uint8Array): unknown {
  const fieldViolations: unknown[] = [];
  new PbfReader(bytes).readFields((tag, _, pbf) => {
    if (tag !== 1) return;
    let description = '';
    pbf.readMessage((field) => {
      if (field === 2) description = pbf.readString();
    }, undefined);
    fieldViolations.push({ description });
  }, undefined);
  return { fieldViolations };
}

function nameOf(type: unknown): string {
  return String(type).replace(/^.*\./, '');
}
