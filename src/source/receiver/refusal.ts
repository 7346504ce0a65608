/** Codes of google.rpc that receivers answer with. HTTP senders find them in the Status, gRPC senders in `grpc-status`. */
export const CODES = {
  ok: 0,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

interface RefusalDetails {
  /** The sender is to come again after so many seconds; without it, it is to give up. */
  readonly retryAfterSeconds?: number;
  /** HTTP header fields that belong to this answer. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The connection is of no more use: what follows on it cannot be told from this request. */
  readonly closes?: true;
}

/**
 * A request that is not taken, in the words of both transports. The message is read by whoever runs the sender: it
 * says what was expected, and never holds anything that was sent.
 */
export class Refusal extends Error {
  readonly httpStatus: number;
  readonly code: number;
  readonly retryAfterSeconds: number | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly closes: boolean;

  constructor(httpStatus: number, code: number, message: string, details: RefusalDetails = {}) {
    super(message);
    this.name = 'Refusal';
    this.httpStatus = httpStatus;
    this.code = code;
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.headers = details.headers ?? {};
    this.closes = details.closes ?? false;
  }

  static malformed(reason: string): Refusal {
    return new Refusal(400, CODES.invalidArgument, reason);
  }

  /**
   * Malformed too, but below what OTLP speaks of: the frame of a gRPC message, and its compression, where gRPC has a
   * code of its own (grpc/doc/compression.md and statuscodes.md).
   */
  static garbled(reason: string): Refusal {
    return new Refusal(400, CODES.internal, reason);
  }

  static wrongNumberOfMessages(): Refusal {
    return new Refusal(400, CODES.unimplemented, 'expected one message');
  }

  static unauthenticated(): Refusal {
    return new Refusal(
      401,
      CODES.unauthenticated,
      'expected the header "Authorization: Bearer TOKEN" with a known token',
      {
        headers: { 'www-authenticate': 'Bearer' },
      },
    );
  }

  static foreignOrigin(): Refusal {
    return new Refusal(
      403,
      CODES.permissionDenied,
      'this is from a web page of an origin that is not listed under cors',
    );
  }

  static unknownPath(): Refusal {
    return new Refusal(404, CODES.notFound, 'expected the path /v1/traces, /v1/metrics or /v1/logs');
  }

  static unknownMethod(): Refusal {
    const message = 'expected the method Export of the TraceService, MetricsService or LogsService';
    return new Refusal(404, CODES.unimplemented, message);
  }

  static wrongMethod(allow: string): Refusal {
    return new Refusal(405, CODES.unimplemented, `expected the method ${allow}`, { headers: { allow } });
  }

  static tooSlow(what: string, millis: number): Refusal {
    return new Refusal(408, CODES.deadlineExceeded, `expected ${what} within ${millis / 1_000} s`, {
      closes: true,
    });
  }

  static tooLarge(limit: number): Refusal {
    const message = `expected a body of at most ${limit} bytes, compressed and inflated`;
    return new Refusal(413, CODES.resourceExhausted, message);
  }

  static unknownContentType(known: readonly string[]): Refusal {
    const types = known.join(', ');
    return new Refusal(415, CODES.invalidArgument, `expected one of these content types: ${types}`, {
      headers: { accept: types },
    });
  }

  static unknownEncoding(known: readonly string[]): Refusal {
    const encodings = known.join(', ');
    return new Refusal(415, CODES.unimplemented, `expected one of these content encodings: ${encodings}`, {
      headers: { 'accept-encoding': encodings },
    });
  }

  static unmetExpectation(): Refusal {
    return new Refusal(417, CODES.failedPrecondition, 'expected no other expectation than 100-continue', {
      closes: true,
    });
  }

  static largeHeaders(): Refusal {
    return new Refusal(431, CODES.resourceExhausted, 'expected smaller header fields', { closes: true });
  }

  /** A fault of ours on this one body, which would be the same again. */
  static unreadable(): Refusal {
    return new Refusal(500, CODES.internal, 'the body could not be read');
  }

  /** More is in progress than there is room for. */
  static full(): Refusal {
    return comeAgain('there is no room for more at the moment');
  }

  static closing(): Refusal {
    return comeAgain('this receiver is shutting down', { closes: true });
  }

  static tooManyConnections(): Refusal {
    return comeAgain('there are too many connections', { closes: true });
  }
}

/**
 * Senders that were refused together are not to come again together. No more than three seconds, as the SDKs give up a
 * batch after ten in all.
 */
function comeAgain(message: string, details: RefusalDetails = {}): Refusal {
  const retryAfterSeconds = 1 + Math.floor(Math.random() * 3);
  return new Refusal(503, CODES.unavailable, message, { ...details, retryAfterSeconds });
}
