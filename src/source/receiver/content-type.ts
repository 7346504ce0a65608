import type { OtlpEncoding } from './otlp-status.ts';

/** The content types of OTLP, and how they are written. `application/protobuf` is what some senders say. */
const ENCODINGS: ReadonlyMap<string, OtlpEncoding> = new Map([
  ['application/x-protobuf', 'protobuf'],
  ['application/protobuf', 'protobuf'],
  ['application/json', 'json'],
]);

/** Those that senders are told of. */
export const CONTENT_TYPES: readonly string[] = ['application/x-protobuf', 'application/json'];

/** How a request is written, and so its answer. */
export interface ContentType {
  /** Bare, in lower case. Where it is none of OTLP's, that of JSON, which whoever looks at an answer can read. */
  readonly type: string;
  /** undefined where it is none of OTLP's. */
  readonly encoding: OtlpEncoding | undefined;
}

/** What a header field says. */
export function contentTypeOf(field: string | undefined): ContentType {
  const type = field?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const encoding = ENCODINGS.get(type);
  return { type: encoding === undefined ? 'application/json' : type, encoding };
}

/**
 * The same for what is no HTTP request, as far as it can be told from the bytes at which the parser gave up: those
 * that came last, up to where headers end.
 */
export function contentTypeIn(error: Error & { readonly rawPacket?: unknown }): ContentType {
  const { rawPacket } = error;
  if (!Buffer.isBuffer(rawPacket)) return contentTypeOf(undefined);
  const [head = ''] = rawPacket.toString('latin1').split('\r\n\r\n', 1);
  return contentTypeOf(/^content-type:(.*)$/im.exec(head)?.[1]);
}
