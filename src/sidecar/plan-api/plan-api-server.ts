import * as http from 'node:http';
import * as https from 'node:https';
import type { Duplex } from 'node:stream';
import { CertificateFiles, type ReceiverTls } from '../../source/receiver/certificate-files.ts';
import { Gate, type ReceiverToken } from '../../source/receiver/gate.ts';
import { listen } from '../../source/receiver/listen.ts';
import type { ListenAddress } from '../config/config-address.ts';
import type { Tenants } from '../tenants.ts';
import { openApiDocument } from './openapi.ts';
import type { PlanApi } from './plan-api.ts';
import { type Answer, jsonAnswer, Problem, problemOf } from './plan-api-answer.ts';
import { namesThisMachine } from './plan-api-host.ts';
import { assertMethod, decoded, malformedProblem, refuseRaw, send, targetOf } from './plan-api-http.ts';
import type { Readiness } from './plan-api-schemas.ts';

export interface PlanApiServerOptions extends ListenAddress {
  readonly tls?: ReceiverTls | undefined;
  readonly tokens: readonly ReceiverToken[];
  /** Further names under which it may be reached without TLS and token. */
  readonly allowedHosts: readonly string[];
  readonly api: PlanApi;
  readonly tenants: Tenants;
  readonly readiness: () => Readiness;
  readonly metrics: () => Promise<string>;
  readonly version: string;
}

/**
 * The admin port:
 *
 *     request → host → credential → tenant → route → answer, or problem details
 *
 * Only health and readiness are told to anyone, since those who ask for them hold no token.
 */
export class PlanApiServer {
  readonly #options: PlanApiServerOptions;
  readonly #gate: Gate;
  readonly #openApi: Answer;
  #certificates: CertificateFiles | undefined;
  #server: http.Server | undefined;
  /** By connection: what is being answered there. */
  readonly #underWay = new WeakMap<Duplex, http.ServerResponse>();

  /** @throws RangeError where a token is none that could be sent. */
  constructor(options: PlanApiServerOptions) {
    this.#options = options;
    this.#gate = new Gate(options.tokens);
    this.#openApi = jsonAnswer(openApiDocument(options.version));
  }

  /** @throws Error with a sentence that says what to do where the port or a certificate cannot be used. */
  async listen(): Promise<ListenAddress> {
    const { tls, host, port } = this.#options;
    const server = tls === undefined ? http.createServer(LIMITS) : await this.#createSecureServer(tls);
    this.#server = server;
    server.maxConnections = MAX_CONNECTIONS;
    server.on('request', (request, response) => void this.#serve(request, response));
    server.on('checkExpectation', (request, response) => this.#refuseExpectation(request, response));
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.#refuse(error.code, socket));
    server.on('connect', (_, socket) => refuseRaw(socket, malformedProblem(undefined)));
    return listen(server, host, port);
  }

  /** Ends all connections, event streams too. */
  close(): void {
    this.#certificates?.close();
    this.#options.api.close();
    this.#server?.close();
    this.#server?.closeAllConnections();
  }

  async #createSecureServer(tls: ReceiverTls): Promise<http.Server> {
    const certificates = await CertificateFiles.load(tls);
    this.#certificates = certificates;
    const server = https.createServer({ ...LIMITS, ...certificates.settings, handshakeTimeout: 10_000 });
    certificates.watch((context) => server.setSecureContext(context));
    return server;
  }

  #refuseExpectation(request: http.IncomingMessage, response: http.ServerResponse): void {
    const problem = new Problem(417, 'Expected no other expectation than 100-continue.');
    for (const stream of [request, response]) stream.on('error', () => {});
    send(request, response, problem.answer);
  }

  /** What is no HTTP, or not in time. It may come amidst a request, or behind one. */
  #refuse(code: string | undefined, socket: Duplex): void {
    const response = this.#underWay.get(socket);
    const problem = malformedProblem(code);
    if (response === undefined || response.writableEnded) refuseRaw(socket, problem);
    else if (response.headersSent) socket.destroy();
    else send(response.req, response, problem.answer);
  }

  async #serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    for (const stream of [request, response]) stream.on('error', () => {});
    this.#underWay.set(request.socket, response);
    try {
      const answer = await this.#answer(request, response);
      if (answer !== undefined && !response.headersSent) send(request, response, answer);
    } catch (error) {
      if (!response.headersSent) send(request, response, problemOf(error).answer);
    }
  }

  /**
   * @returns undefined where the response is taken by a stream of events.
   * @throws Problem, or errors of the store.
   */
  async #answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<Answer | undefined> {
    const { path, query } = targetOf(request);
    if (path === '/healthz' || path === '/readyz') {
      assertMethod(request, 'GET, HEAD');
      return path === '/healthz' ? jsonAnswer({ status: 'ok' }) : this.#readiness();
    }
    this.#assertHost(request);
    const name = this.#tenantOf(request);
    if (path === '/metrics' || path === '/openapi.json') {
      assertMethod(request, 'GET, HEAD');
      return path === '/openapi.json' ? this.#openApi : this.#metrics(name);
    }
    return this.#route(path, query, name, request, response);
  }

  async #route(
    path: string,
    query: URLSearchParams,
    name: string | undefined,
    request: http.IncomingMessage,
    response: http.ServerResponse,
  ): Promise<Answer | undefined> {
    const { api, tenants } = this.#options;
    const [, encoded, part] =
      /^\/v1\/plans(?:\/([^/]+)(?:\/(groups|runs|partition|events))?)?\/?$/.exec(path) ?? [];
    const tenant = tenants.get(name);
    if (tenant === undefined) throw noSuchPath();
    if (encoded === undefined) {
      if (!/^\/v1\/plans\/?$/.test(path)) throw noSuchPath();
      assertMethod(request, 'GET, HEAD');
      return api.list(tenant, query);
    }
    const agentId = decoded(encoded);
    assertMethod(request, METHODS.get(part) ?? 'GET, HEAD');
    switch (part) {
      case 'groups':
        return api.groups(tenant, agentId);
      case 'runs':
        return api.runs(tenant, agentId, query);
      case 'partition':
        return api.partition(tenant, agentId, request);
      case 'events':
        await api.events(tenant, agentId, response);
        return undefined;
      default:
        return api.plan(tenant, agentId, query, request);
    }
  }

  #readiness(): Answer {
    const readiness = this.#options.readiness();
    const answer = jsonAnswer(readiness, { 'cache-control': 'no-store' });
    return readiness.status === 'ready' ? answer : { ...answer, status: 503 };
  }

  async #metrics(tenant: string | undefined): Promise<Answer> {
    if (tenant !== undefined) {
      throw new Problem(403, 'Metrics are those of all tenants; they are for a token without a tenant.');
    }
    const body = await this.#options.metrics();
    return { status: 200, headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }, body };
  }

  #tenantOf({ headers }: http.IncomingMessage): string | undefined {
    try {
      return this.#gate.tenantOf(headers.authorization);
    } catch {
      throw new Problem(
        401,
        'Expected the header "Authorization: Bearer TOKEN" with a known token.',
        {},
        {
          'www-authenticate': 'Bearer',
        },
      );
    }
  }

  /** With TLS the certificate says whom a browser asks, and a web page knows no token. */
  #assertHost({ headers }: http.IncomingMessage): void {
    const { tls, host, allowedHosts } = this.#options;
    if (!this.#gate.isOpen || tls !== undefined) return;
    if (namesThisMachine(headers.host, [host, ...allowedHosts])) return;
    throw new Problem(
      421,
      'Expected a host that means this machine, such as localhost, or one of extensions.admin.allowed_hosts.',
    );
  }
}

/** Where it is not GET and HEAD. */
const METHODS = new Map<string | undefined, 'GET' | 'POST'>([
  ['partition', 'POST'],
  ['events', 'GET'],
]);

const MAX_CONNECTIONS = 512;
const LIMITS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 1_000,
  keepAliveTimeout: 65_000,
  requireHostHeader: false,
} as const satisfies http.ServerOptions;

function noSuchPath(): Problem {
  return new Problem(404, 'There is nothing here; /openapi.json says what there is.');
}
