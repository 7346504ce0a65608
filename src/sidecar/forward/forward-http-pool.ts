import * as http from 'node:http';
import * as https from 'node:https';
import type { ForwardTls } from './forward-upstream.ts';

/** Bounds senders that wait for the upstream's own answer; a queue has fewer consumers. */
const MAX_SOCKETS = 128;

/** Connections to one HTTP upstream, which are used again. */
export class HttpPool {
  readonly #isTls: boolean;
  readonly #inFlight = new Set<http.ClientRequest>();
  #agent: http.Agent;

  constructor(endpoint: URL, tls: ForwardTls) {
    this.#isTls = endpoint.protocol === 'https:';
    this.#agent = this.#createAgent(tls);
  }

  post(url: URL, headers: http.OutgoingHttpHeaders): http.ClientRequest {
    const { request } = this.#isTls ? https : http;
    const sent = request(url, { method: 'POST', agent: this.#agent, headers });
    this.#inFlight.add(sent);
    sent.once('close', () => this.#inFlight.delete(sent));
    return sent;
  }

  /** Makes new connections from now on; each of the old ones ends with the request that is on it. */
  renew(tls: ForwardTls): void {
    if (!this.#isTls) return;
    const old = this.#agent;
    this.#agent = this.#createAgent(tls);
    old.maxFreeSockets = 0;
    for (const sockets of Object.values(old.freeSockets))
      for (const socket of sockets ?? []) socket.destroy();
  }

  close(): void {
    for (const sent of this.#inFlight) sent.destroy();
    this.#agent.destroy();
  }

  #createAgent(tls: ForwardTls): http.Agent {
    const pool = { keepAlive: true, maxSockets: MAX_SOCKETS };
    return this.#isTls ? new https.Agent({ ...pool, ...tlsOptions(tls) }) : new http.Agent(pool);
  }
}

function tlsOptions({ ca, cert, key, insecureSkipVerify = false }: ForwardTls): https.AgentOptions {
  const files = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  return { ...files, minVersion: 'TLSv1.2', rejectUnauthorized: !insecureSkipVerify };
}
