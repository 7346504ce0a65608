import type { OtlpRequest, UpstreamAnswer } from '../../source/receiver/otlp-sink.ts';
import { encodeExportResponse, encodeStatus, type OtlpEncoding } from '../../source/receiver/otlp-status.ts';
import { CODES, Refusal } from '../../source/receiver/refusal.ts';

/**
 * Answers in words of our own, for a sender that waits for the upstream's, where the upstream gave none or none that a
 * sender of OTLP can read.
 */
export const forwardAnswer = {
  /** The upstream took it. */
  success(request: OtlpRequest): UpstreamAnswer {
    const body = encodeExportResponse({ rejected: 0 }, encodingOf(request));
    return { status: 200, retryAfterSeconds: undefined, body };
  },

  /** @param status an HTTP status of at least 400. */
  failure(
    request: OtlpRequest,
    status: number,
    message: string,
    retryAfterSeconds?: number,
    code: number = codeOf(status),
  ): UpstreamAnswer {
    const details = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
    const body = encodeStatus(new Refusal(status, code, message, details), encodingOf(request));
    return { status, retryAfterSeconds, body };
  },
};

function encodingOf({ contentType }: OtlpRequest): OtlpEncoding {
  return contentType === 'application/json' ? 'json' : 'protobuf';
}

/** What a gRPC sender is told: whether to come again must come out the same. */
function codeOf(status: number): number {
  if (status === 429 || (status >= 502 && status <= 504)) return CODES.unavailable;
  return CODE_BY_STATUS.get(status) ?? CODES.unknown;
}

const CODE_BY_STATUS: ReadonlyMap<number, number> = new Map([
  [400, CODES.invalidArgument],
  [401, CODES.unauthenticated],
  [403, CODES.permissionDenied],
  [404, CODES.notFound],
  [413, CODES.resourceExhausted],
  [415, CODES.invalidArgument],
  [500, CODES.internal],
]);
