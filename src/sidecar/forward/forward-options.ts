import { validateHeaderName, validateHeaderValue } from 'node:http';
import { createSecureContext } from 'node:tls';
import type { ListenAddress } from '../config/config-address.ts';
import type { BackoffOptions } from './forward-backoff.ts';
import { isOwnEndpoint } from './forward-own-endpoint.ts';
import type { ForwardTls, UpstreamOptions } from './forward-upstream.ts';

export interface ForwarderOptions {
  /** As in OTLP, the base: `/v1/traces` and the like are added to its path. For gRPC also HOST:PORT. */
  readonly endpoint: string;
  readonly protocol: 'http' | 'grpc';
  /** Added to each request, in the place of those of the same name that came with it. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Of bodies that came uncompressed. Default `none`: the body goes on byte for byte as it came. */
  readonly compression?: 'none' | 'gzip';
  /** For one try, from its beginning to the end of the answer. Default 10,000. */
  readonly timeoutMillis?: number;
  readonly tls?: ForwardTls;
  readonly queue?: {
    /** Most bytes that wait or are being sent; more is dropped, or refused where the queue is durable. Default 64 MiB. */
    readonly maxBytes?: number;
    /** Requests sent at the same time. Default 10. */
    readonly consumers?: number;
    /** A directory: the queue rests there and outlives the process. Default: in memory. */
    readonly storage?: string;
  };
  readonly retry?: Partial<RetryOptions>;
  /** Where this process listens itself, as bound. An endpoint that leads there is refused. */
  readonly ownListeners?: readonly ListenAddress[];
}

interface RetryOptions extends BackoffOptions {
  /** Default 1,000. */
  readonly initialIntervalMillis: number;
  /** Default 30,000. */
  readonly maxIntervalMillis: number;
  /**
   * How long a request is tried before it is dropped; in a durable queue it goes to the end of the line instead, so
   * that what was accepted is not lost to a long outage. Default 300,000.
   */
  readonly maxElapsedMillis: number;
}

export interface ResolvedForwarderOptions extends UpstreamOptions {
  readonly protocol: 'http' | 'grpc';
  readonly queue: {
    readonly maxBytes: number;
    readonly consumers: number;
    readonly storage: string | undefined;
  };
  readonly retry: RetryOptions;
}

/**
 * Fills in the defaults and finds contradictions before anything starts.
 * @throws RangeError with a sentence
 */
export function resolveForwarderOptions(options: ForwarderOptions): ResolvedForwarderOptions {
  const {
    protocol,
    compression = 'none',
    timeoutMillis = 10_000,
    tls = {},
    queue = {},
    retry = {},
  } = options;
  const given = endpointOf(options.endpoint, protocol, tls);
  const resolved = {
    protocol,
    endpoint: withoutCredential(given),
    headers: { ...basicCredential(given), ...headersOf(options.headers ?? {}) },
    compression,
    timeoutMillis,
    tls,
    queue: {
      maxBytes: queue.maxBytes ?? 64 * 1_048_576,
      consumers: queue.consumers ?? 10,
      storage: queue.storage,
    },
    retry: { initialIntervalMillis: 1_000, maxIntervalMillis: 30_000, maxElapsedMillis: 300_000, ...retry },
  };
  const { maxBytes, consumers } = resolved.queue;
  for (const [name, value] of Object.entries({ timeoutMillis, maxBytes, consumers, ...resolved.retry })) {
    if (Number.isSafeInteger(value) && value >= 1) continue;
    throw new RangeError(`${name} must be a whole number of at least 1, not ${String(value)}`);
  }
  checkCertificates(tls);
  if (isOwnEndpoint(resolved.endpoint, options.ownListeners ?? [])) {
    const where = resolved.endpoint.host;
    throw new RangeError(
      `the endpoint to forward to, ${where}, is where this process listens itself, so that everything would go round for ever; give the place where spans went before`,
    );
  }
  return resolved;
}

function endpointOf(text: string, protocol: 'http' | 'grpc', tls: ForwardTls): URL {
  const expected =
    protocol === 'http'
      ? 'expected http://HOST:PORT or https://HOST:PORT'
      : 'expected HOST:PORT, http://HOST:PORT or https://HOST:PORT';
  const isBare = protocol === 'grpc' && !text.includes('://');
  const full = isBare ? `${tls.insecure ? 'http' : 'https'}://${text}` : text;
  // The text itself may hold a password.
  if (!URL.canParse(full)) throw new RangeError(`the endpoint to forward to is no URL; ${expected}`);
  const url = new URL(full);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new RangeError(`the endpoint to forward to begins with ${url.protocol}; ${expected}`);
  }
  if (protocol === 'grpc' && url.pathname !== '/') {
    throw new RangeError(`the endpoint to forward to has a path, which gRPC has no use for; ${expected}`);
  }
  if (/\/v1\/(?:traces|metrics|logs)\/?$/.test(url.pathname)) {
    throw new RangeError(
      'the endpoint to forward to ends with the path of one signal, which is added by itself; leave it out',
    );
  }
  return url;
}

function withoutCredential(endpoint: URL): URL {
  const url = new URL(endpoint);
  url.username = '';
  url.password = '';
  return url;
}

/** Of `https://user:password@host`. */
function basicCredential({ username, password }: URL): Readonly<Record<string, string>> {
  if (username === '' && password === '') return {};
  const credential = `${percentDecoded(username)}:${percentDecoded(password)}`;
  return { authorization: `Basic ${Buffer.from(credential).toString('base64')}` };
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function headersOf(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const lower: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch {
      throw new RangeError(
        `the header ${JSON.stringify(name)} cannot be sent: its name or its text is not allowed`,
      );
    }
    lower[name.toLowerCase()] = value;
  }
  return lower;
}

/** OpenSSL takes an authority that is no certificate in silence. */
function checkCertificates({ ca, cert, key }: ForwardTls): void {
  const what = 'the certificates for the endpoint to forward to cannot be used';
  if ((cert === undefined) !== (key === undefined)) {
    throw new RangeError(`${what}: expected a certificate and its key, or neither`);
  }
  if (ca !== undefined && !ca.includes('-----BEGIN CERTIFICATE-----')) {
    throw new RangeError(`${what}: expected PEM for the authority`);
  }
  try {
    createSecureContext({ ...(cert && { cert }), ...(key && { key }), ...(ca && { ca }) });
  } catch (error) {
    throw new RangeError(`${what}: expected PEM, and a key that matches`, { cause: error });
  }
}
