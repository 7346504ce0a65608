import type { OtlpRequest, UpstreamAnswer } from '../../source/receiver/otlp-sink.ts';

/** Where requests are forwarded to, over one protocol. One try at a time; trying again is the forwarder's business. */
export interface Upstream {
  /** The answer for a sender whose request cannot be put into this upstream's protocol; undefined where it can. */
  refusalOf(request: OtlpRequest): UpstreamAnswer | undefined;
  /**
   * Sends a request once. Ends within the timeout, and never rejects.
   * @param wantsBody whether the body of the answer is of use to anyone; else it is read and forgotten.
   */
  send(request: OtlpRequest, wantsBody: boolean): Promise<UpstreamReply>;
  /** Certificates for connections made from now on. What is in flight ends on those that are there. */
  renew(tls: ForwardTls): void;
  /** Ends what is in flight. */
  close(): void;
}

/** What came of one try. */
export interface UpstreamReply {
  readonly outcome:
    | 'delivered'
    /** It may be taken later: the upstream said so, or was not reached, or gave no answer in time. */
    | 'again'
    /** It would be the same every time. */
    | 'rejected';
  /** For logs, such as `HTTP 503` or `ECONNREFUSED`; never the upstream's own text. */
  readonly cause: string;
  readonly answer: UpstreamAnswer;
}

/** What an upstream of either protocol is made of. */
export interface UpstreamOptions {
  readonly endpoint: URL;
  /** By name in lower case. They replace those of the same name that came with the request. */
  readonly headers: Readonly<Record<string, string>>;
  readonly compression: 'none' | 'gzip';
  readonly timeoutMillis: number;
  readonly tls: ForwardTls;
}

/** The contents of PEM files, not their paths. */
export interface ForwardTls {
  /** Trusted instead of the authorities that Node brings along. */
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  /** Takes any certificate of the upstream. Default false. */
  readonly insecureSkipVerify?: boolean;
  /** For gRPC endpoints without a scheme: no TLS. Default false. */
  readonly insecure?: boolean;
}

/** The most that is read of an answer. OTLP bounds answers to this; a larger one is cut off. */
export const MAX_ANSWER_BYTES = 4 * 1_048_576;
