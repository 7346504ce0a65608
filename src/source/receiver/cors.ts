import type { IncomingMessage } from 'node:http';
import { Refusal } from './refusal.ts';

/** Which web pages may send. */
export interface ReceiverCors {
  /** Origins in full, such as `https://app.example.com`. */
  readonly allowedOrigins: readonly string[];
  /** Request headers allowed beside those that OTLP needs. */
  readonly allowedHeaders?: readonly string[];
  /** How long browsers may remember the permission. Default 7,200. */
  readonly maxAgeSeconds?: number;
}

type Fields = Readonly<Record<string, string>>;

/**
 * Tells listed origins that they may send, and refuses all others. Only browsers send an origin; one that is not listed
 * is a page that has no business here, whatever name it reached this address by.
 */
export class Cors {
  readonly #origins: ReadonlySet<string>;
  readonly #preflight: Fields;

  /** @throws RangeError for what is no origin. */
  constructor(
    { allowedOrigins, allowedHeaders = [], maxAgeSeconds = 7_200 }: ReceiverCors = { allowedOrigins: [] },
  ) {
    for (const origin of allowedOrigins) {
      if (originOf(origin) !== origin || origin.includes('*')) {
        throw new RangeError(
          'each of cors.allowedOrigins must be an origin in full, such as https://app.example.com; wildcards are not taken',
        );
      }
    }
    this.#origins = new Set(allowedOrigins);
    this.#preflight = {
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': [
        ...new Set([...HEADERS, ...allowedHeaders.map((name) => name.toLowerCase())]),
      ].join(', '),
      'access-control-max-age': String(maxAgeSeconds),
    };
  }

  /**
   * The fields that every answer to this request carries.
   * @throws Refusal
   */
  fieldsFor({ headers }: IncomingMessage): Fields {
    const { origin } = headers;
    const vary: Fields = this.#origins.size > 0 ? { vary: 'Origin' } : {};
    if (origin === undefined) return vary;
    if (!this.#origins.has(origin)) throw Refusal.foreignOrigin();
    return {
      ...vary,
      'access-control-allow-origin': origin,
      'access-control-expose-headers': 'Retry-After',
    };
  }

  /** The further fields of the answer to a browser that asks before it sends; undefined for any other request. */
  preflightFor({ method, headers }: IncomingMessage): Fields | undefined {
    const asks = method === 'OPTIONS' && headers.origin && headers['access-control-request-method'];
    return asks ? this.#preflight : undefined;
  }
}

const HEADERS = ['content-type', 'content-encoding', 'authorization'];

function originOf(text: string): string | undefined {
  try {
    return new URL(text).origin;
  } catch {
    return undefined;
  }
}
