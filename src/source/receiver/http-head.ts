import type { IncomingMessage } from 'node:http';
import type { OtlpSignal } from './otlp-sink.ts';
import { Refusal } from './refusal.ts';

/** A sender whose endpoint for traces was given without a path posts them to the root. */
const SIGNALS: ReadonlyMap<string, OtlpSignal> = new Map([
  ['/', 'traces'],
  ['/v1/traces', 'traces'],
  ['/v1/metrics', 'metrics'],
  ['/v1/logs', 'logs'],
]);

const METHOD = 'POST';

/** What an HTTP request is for, by its first line and host. */
export class HttpHead {
  readonly #request: IncomingMessage;
  readonly #path: string | undefined;

  constructor(request: IncomingMessage) {
    this.#request = request;
    this.#path = pathOf(request.url ?? '');
  }

  /** Undefined where the path names none. */
  get signal(): OtlpSignal | undefined {
    return SIGNALS.get(this.#path ?? '');
  }

  /** Of the body in bytes; undefined where the sender does not say. */
  get declaredLength(): number | undefined {
    const length = this.#request.headers['content-length'];
    return length === undefined ? undefined : Number(length);
  }

  /**
   * The signal of a request that may be taken.
   * @throws Refusal
   */
  accept(): OtlpSignal {
    const { method, headers } = this.#request;
    if (this.#path === undefined) throw Refusal.malformed('expected a valid URI');
    if (!this.#hasHost()) throw Refusal.malformed('expected one header field "host"');
    if (this.signal === undefined) throw Refusal.unknownPath();
    if (method !== METHOD) throw Refusal.wrongMethod(METHOD);
    const transfer = headers['transfer-encoding'] ?? 'chunked';
    if (transfer.toLowerCase() !== 'chunked') {
      throw Refusal.malformed('expected no other transfer encoding than chunked');
    }
    return this.signal;
  }

  /** HTTP/1.1 demands one. */
  #hasHost(): boolean {
    const { httpVersionMinor, headersDistinct } = this.#request;
    const hosts = headersDistinct.host?.length ?? 0;
    return hosts === 1 || (hosts === 0 && httpVersionMinor === 0);
  }
}

/** A path and a query of RFC 3986: its characters, and whole escapes. */
const PATH = /^(\/(?:[\w.~!$&'()*+,;=:@/-]|%[0-9a-f]{2})*)?(?:\?(?:[\w.~!$&'()*+,;=:@/?-]|%[0-9a-f]{2})*)?$/i;

/** @returns undefined where the target is malformed. */
function pathOf(target: string): string | undefined {
  // As it would be sent to a proxy, a target is a whole URL; servers must take that too.
  const [origin = '', authority] = /^https?:\/\/([^/?#]*)/i.exec(target) ?? [];
  if (authority !== undefined && !URL.canParse(`http://${authority}`)) return undefined;
  const parts = PATH.exec(target.slice(origin.length));
  if (parts === null || (origin === '' && parts[1] === undefined)) return undefined;
  try {
    return decodeURIComponent(parts[1] ?? '/');
  } catch {
    return undefined;
  }
}
