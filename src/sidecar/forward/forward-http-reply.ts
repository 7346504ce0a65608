import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { brotliDecompress, unzip } from 'node:zlib';
import type { OtlpRequest, UpstreamAnswer } from '../../source/receiver/otlp-sink.ts';
import { passedHeaders } from '../../source/receiver/passed-headers.ts';
import { forwardAnswer } from './forward-answer.ts';
import { retryAfterSeconds } from './forward-retry-after.ts';
import { MAX_ANSWER_BYTES, type UpstreamReply } from './forward-upstream.ts';

const AGAIN = new Set([429, 502, 503, 504]);

/**
 * What an HTTP answer means for the request. Its body goes to the sender only where a sender of OTLP can read it.
 * @param bytes undefined where the body was cut off, or is of no use
 */
export async function httpReply(
  request: OtlpRequest,
  { statusCode: status = 0, headers }: IncomingMessage,
  bytes: Buffer | undefined,
): Promise<UpstreamReply> {
  const cause = `HTTP ${status}`;
  const body = bytes && (await readable(request, headers, bytes));
  const fields = { headers: answerHeaders(headers) };
  if (status >= 200 && status < 300) {
    const answer = { ...forwardAnswer.success(request), ...(body && { body }), ...fields };
    return {
      outcome: 'delivered',
      cause,
      answer: { ...answer, status: BODILESS.has(status) ? 200 : status },
    };
  }
  const seconds = retryAfterSeconds(headers['retry-after'], Date.now());
  const answer = { ...failureOf(request, status, seconds, body), ...fields };
  return { outcome: AGAIN.has(status) ? 'again' : 'rejected', cause, answer };
}

/** Answers to exports have a body, be it an empty one. */
const BODILESS = new Set([204, 205]);

/** What the sender gets of the header fields: those that are for it, and not for this hop or for browsers of another origin. */
function answerHeaders(headers: IncomingHttpHeaders): NonNullable<UpstreamAnswer['headers']> {
  const passed = Object.entries(passedHeaders(headers, false));
  return Object.fromEntries(passed.filter(([name]) => !OURS.test(name)));
}

/** They describe the body, the origin or the moment of an answer, all of which are ours. */
const OURS =
  /^(?:content-.*|access-control-.*|date|retry-after|vary|alt-svc|strict-transport-security|location)$/;

function failureOf(
  request: OtlpRequest,
  status: number,
  seconds: number | undefined,
  body: Uint8Array | undefined,
): UpstreamAnswer {
  // Some senders take a redirect for success.
  const isError = status >= 400 && status < 600;
  const text = `the place this was forwarded to answered with HTTP status ${status}`;
  if (!isError) return forwardAnswer.failure(request, 500, `${text}, which is not followed`);
  if (body !== undefined) return { status, retryAfterSeconds: seconds, body };
  return forwardAnswer.failure(request, status, text, seconds);
}

/** The body of an answer, inflated; undefined where it is not in the encoding of the request, or too large. */
async function readable(
  { contentType }: OtlpRequest,
  headers: IncomingHttpHeaders,
  bytes: Buffer,
): Promise<Uint8Array | undefined> {
  const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  if (type?.replace(/^application\/protobuf$/, 'application/x-protobuf') !== contentType) return undefined;
  const bound = { maxOutputLength: MAX_ANSWER_BYTES };
  try {
    // The sender may have asked for compression; its header fields went on.
    switch (headers['content-encoding']?.trim().toLowerCase() ?? 'identity') {
      case 'identity':
        return bytes;
      case 'gzip':
      case 'x-gzip':
      case 'deflate':
        return await promisify(unzip)(bytes, bound);
      case 'br':
        return await promisify(brotliDecompress)(bytes, bound);
      default:
        return undefined;
    }
  } catch {
    return undefined;
  }
}
