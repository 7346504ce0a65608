import type * as http from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { OtlpRequest } from '../../source/receiver/otlp-sink.ts';
import { errorCode } from '../../support/error-code.ts';
import { forwardAnswer } from './forward-answer.ts';
import { forwardHeaders } from './forward-headers.ts';
import { HttpPool } from './forward-http-pool.ts';
import { httpReply } from './forward-http-reply.ts';
import {
  type ForwardTls,
  MAX_ANSWER_BYTES,
  type Upstream,
  type UpstreamOptions,
  type UpstreamReply,
} from './forward-upstream.ts';

/**
 * An upstream that takes OTLP/HTTP. The status line decides what became of a request; the body of the answer only
 * says more, so that one which is cut off, or has no end, changes nothing. Redirects are not followed.
 */
export class HttpUpstream implements Upstream {
  readonly #options: UpstreamOptions;
  readonly #pool: HttpPool;
  #closed = false;

  constructor(options: UpstreamOptions) {
    this.#options = options;
    this.#pool = new HttpPool(options.endpoint, options.tls);
  }

  refusalOf(): undefined {
    return undefined; // HTTP takes both encodings, and gRPC's messages are protobuf
  }

  async send(request: OtlpRequest, wantsBody: boolean): Promise<UpstreamReply> {
    let answered: Answered;
    try {
      const outgoing = await this.#outgoing(request);
      answered = await this.#exchange(request, outgoing, wantsBody);
    } catch (error) {
      return failed(request, error, this.#options.timeoutMillis);
    }
    return await httpReply(request, answered.response, answered.bytes);
  }

  renew(tls: ForwardTls): void {
    this.#pool.renew(tls);
  }

  close(): void {
    this.#closed = true;
    this.#pool.close();
  }

  async #outgoing(request: OtlpRequest): Promise<Outgoing> {
    const headers: http.OutgoingHttpHeaders = {
      'content-type': request.contentType,
      ...forwardHeaders(request, this.#options.headers, 'http'),
    };
    if (request.contentEncoding !== undefined) headers['content-encoding'] ??= request.contentEncoding;
    const compresses = this.#options.compression === 'gzip' && request.contentEncoding === undefined;
    const body = compresses ? await promisify(gzip)(request.body) : request.body;
    if (compresses) headers['content-encoding'] = 'gzip';
    return { headers: { ...headers, 'content-length': String(body.length) }, body };
  }

  async #exchange(request: OtlpRequest, outgoing: Outgoing, wantsBody: boolean): Promise<Answered> {
    const deadline = performance.now() + this.#options.timeoutMillis;
    for (;;) {
      try {
        return await this.#once(request, outgoing, wantsBody, deadline);
      } catch (error) {
        // An upstream may close a connection that rests, just when the next request goes out on it. That can befall
        // each of them, and then the next one is new.
        if (!(error instanceof StaleConnection)) throw error;
      }
    }
  }

  #once(
    request: OtlpRequest,
    { headers, body }: Outgoing,
    wantsBody: boolean,
    deadline: number,
  ): Promise<Answered> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw new NoAnswer();
      const sent = this.#pool.post(urlOf(this.#options.endpoint, request), headers);
      const timer = setTimeout(() => sent.destroy(new NoAnswer()), Math.max(0, deadline - performance.now()));
      // From here on the answer counts, whatever becomes of the connection.
      let isAnswered = false;
      const fail = (error: Error) => {
        if (!isAnswered) reject(error);
      };
      sent.on('close', () => {
        clearTimeout(timer);
        fail(new NoAnswer());
      });
      sent.on('error', (error) => {
        const isStale = sent.reusedSocket && 'code' in error && STALE.has(String(error.code));
        fail(isStale ? new StaleConnection() : error);
      });
      sent.on('response', (response) => {
        isAnswered = true;
        void readBody(response, wantsBody).then((bytes) => resolve({ response, bytes }));
      });
      sent.end(body);
    });
  }
}

interface Outgoing {
  readonly headers: http.OutgoingHttpHeaders;
  readonly body: Uint8Array;
}

interface Answered {
  readonly response: http.IncomingMessage;
  /** undefined where it was cut off. */
  readonly bytes: Buffer | undefined;
}

class StaleConnection extends Error {}

/** The time was up, or the forwarder closed. */
class NoAnswer extends Error {
  readonly code = 'no answer in time';
}

const STALE = new Set(['ECONNRESET', 'EPIPE']);

/** As OTLP says for a base endpoint: the path of a signal is added to the endpoint's own. */
function urlOf(endpoint: URL, { signal }: OtlpRequest): URL {
  const url = new URL(endpoint);
  url.pathname = `${endpoint.pathname.replace(/\/+$/, '')}/v1/${signal}`;
  return url;
}

/** Reads up to the bound. Never rejects. @returns undefined where not all of it came, or it is not wanted. */
function readBody(response: http.IncomingMessage, isWanted: boolean): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    response.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_ANSWER_BYTES) response.destroy();
      else if (isWanted) chunks.push(chunk);
    });
    response.on('error', () => {}); // 'close' follows
    response.on('close', () => resolve(response.complete && isWanted ? Buffer.concat(chunks) : undefined));
  });
}

function failed(request: OtlpRequest, error: unknown, timeoutMillis: number): UpstreamReply {
  const code = errorCode(error) ?? 'error';
  // What Node refuses to send as a header field will be refused the next time too.
  if (UNSENDABLE.has(code)) {
    const answer = forwardAnswer.failure(request, 400, 'the header fields cannot be sent on');
    return { outcome: 'rejected', cause: code, answer };
  }
  const answer =
    error instanceof NoAnswer
      ? forwardAnswer.failure(
          request,
          504,
          `the place this is forwarded to gave no answer within ${timeoutMillis} ms`,
        )
      : forwardAnswer.failure(request, 503, `the place this is forwarded to cannot be reached (${code})`);
  return { outcome: 'again', cause: code, answer };
}

const UNSENDABLE = new Set(['ERR_INVALID_CHAR', 'ERR_HTTP_INVALID_HEADER_VALUE', 'ERR_INVALID_HTTP_TOKEN']);
