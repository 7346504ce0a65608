import * as http from 'node:http';
import * as https from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { BodyMemory } from './body-memory.ts';
import { CertificateFiles } from './certificate-files.ts';
import { ConnectionCount } from './connection-count.ts';
import { CONTENT_TYPES, contentTypeIn, contentTypeOf } from './content-type.ts';
import { Cors, type ReceiverCors } from './cors.ts';
import { Gate } from './gate.ts';
import { HttpExchange } from './http-exchange.ts';
import { HttpHead } from './http-head.ts';
import { InFlight } from './in-flight.ts';
import { CONTENT_ENCODINGS, normalEncoding } from './inflate.ts';
import { Intake, type RequestHead } from './intake.ts';
import { listen } from './listen.ts';
import { NO_HEADERS, passedHeaders } from './passed-headers.ts';
import { answerRaw } from './raw-answer.ts';
import { readBody, SenderGoneError } from './read-body.ts';
import {
  type BoundAddress,
  type ReceiverOptions,
  type ResolvedReceiverOptions,
  resolveReceiverOptions,
} from './receiver-options.ts';
import { Refusal } from './refusal.ts';
import { Room } from './room.ts';
import { UnderWay } from './under-way.ts';

export interface OtlpHttpReceiverOptions extends ReceiverOptions {
  /** Off by default: no web page may send. */
  readonly cors?: ReceiverCors;
}

/**
 * Takes OTLP over HTTP/1.1:
 *
 *     connection → request → origin, credential, path, method, type → room → body → Intake → answer
 *
 * Every answer but success holds a google.rpc.Status; overload is always 503 with Retry-After, never 500 and never a
 * connection cut before its answer could be read.
 */
export class OtlpHttpReceiver {
  readonly #options: ResolvedReceiverOptions;
  readonly #intake: Intake;
  readonly #gate: Gate;
  readonly #memory = new BodyMemory();
  readonly #cors: Cors;
  readonly #connections: ConnectionCount;
  readonly #inFlight = new InFlight<HttpExchange>();
  readonly #underWay = new UnderWay();
  /** The latest request of each connection, while it is under way. */
  readonly #latest = new WeakMap<Duplex, HttpExchange>();
  #certificates: CertificateFiles | undefined;
  #server: http.Server | undefined;
  #isStopping = false;
  #closing: Promise<void> | undefined;

  /** @throws RangeError where an option is wrong. */
  constructor(options: OtlpHttpReceiverOptions) {
    this.#options = resolveReceiverOptions(options, IDLE_MILLIS);
    this.#intake = new Intake(options.sink, this.#options.maxRequestBodySize);
    this.#gate = new Gate(options.auth?.tokens);
    this.#cors = new Cors(options.cors);
    this.#connections = new ConnectionCount(this.#options.maxConnections);
  }

  /** @throws Error with a sentence that says what to do where the port or a certificate cannot be used. */
  async listen(): Promise<BoundAddress> {
    const { tls, host, port, maxConnections } = this.#options;
    if (tls !== undefined) this.#certificates = await CertificateFiles.load(tls);
    const server = this.#createServer(this.#certificates);
    this.#server = server;
    server.maxConnections = maxConnections + ConnectionCount.spare;
    const serve = (request: http.IncomingMessage, response: http.ServerResponse) =>
      void this.#serve(request, response);
    server.on('request', serve).on('checkContinue', serve);
    server.on('checkExpectation', (request, response) => {
      this.#begin(request, response).refuse(Refusal.unmetExpectation());
    });
    server.on('clientError', (error, socket) => this.#senderFailed(error, socket));
    server.on('connect', ({ headers }, socket) => {
      answerRaw(socket, Refusal.wrongMethod('POST'), contentTypeOf(headers['content-type']));
    });
    server.on(tls === undefined ? 'connection' : 'secureConnection', (socket) =>
      this.#connections.add(socket),
    );
    const address = await listen(server, host, port);
    this.#certificates?.watch((context) => {
      if (server instanceof https.Server) server.setSecureContext(context);
    });
    return address;
  }

  #createServer(certificates: CertificateFiles | undefined): http.Server {
    const { headersTimeoutMillis, bodyTimeoutMillis, idleTimeoutMillis } = this.#options;
    const options: http.ServerOptions = {
      headersTimeout: headersTimeoutMillis,
      // Bodies are timed by us, to be answered; this is for what we no longer read.
      requestTimeout: headersTimeoutMillis + bodyTimeoutMillis + SLACK_MILLIS,
      connectionsCheckingInterval: Math.min(1_000, headersTimeoutMillis),
      keepAliveTimeout: idleTimeoutMillis,
      // Node's own refusal has no body.
      requireHostHeader: false,
    };
    if (certificates === undefined) return http.createServer(options);
    const { settings } = certificates;
    return https.createServer({ ...options, ...settings, handshakeTimeout: headersTimeoutMillis });
  }

  /** Takes no new connections; what comes on those that are open is told to come again elsewhere. Idempotent. */
  stopAccepting(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#certificates?.close();
    this.#server?.close();
  }

  /**
   * Finishes what is in flight, for so long at most, tells whose requests are left to come again, and closes all
   * connections. Idempotent; never rejects.
   */
  close(timeoutMillis: number): Promise<void> {
    this.stopAccepting();
    this.#closing ??= this.#inFlight
      .finish(timeoutMillis, (exchange) => exchange.fail(Refusal.closing()))
      .then(() => this.#server?.closeAllConnections());
    return this.#closing;
  }

  async #serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    // What came with the request for which its connection was cut off.
    if (request.socket.destroyed) return;
    const exchange = this.#begin(request, response);
    let room: Room | undefined;
    const timeoutMillis = this.#options.bodyTimeoutMillis;
    try {
      const head = this.#accept(request, exchange);
      if (head === undefined) return;
      room = new Room(this.#options.sink, head, this.#memory);
      const body = this.#intake.receive(head, room, exchange.head.declaredLength);
      if (request.headers.expect !== undefined) response.writeContinue();
      const { signal } = exchange;
      await readBody(request, body, { timeoutMillis, signal, freesChunks: true });
      exchange.answer(await this.#intake.take(head, body, room));
    } catch (error) {
      if (!(error instanceof SenderGoneError)) {
        exchange.refuse(error instanceof Refusal ? error : Refusal.unreadable());
      }
    } finally {
      room?.giveBack();
    }
  }

  #begin(request: http.IncomingMessage, response: http.ServerResponse): HttpExchange {
    const head = new HttpHead(request);
    const exchange = new HttpExchange(request, response, head, this.#options);
    this.#latest.set(request.socket, exchange);
    this.#inFlight.begin(exchange);
    const underWay = this.#underWay.begin(request.socket, response, () => {
      exchange.end();
      if (this.#latest.get(request.socket) === exchange) this.#latest.delete(request.socket);
      const { status } = exchange;
      if (status !== undefined) this.#options.onAnswer?.({ transport: 'http', signal: head.signal, status });
      this.#inFlight.end(exchange);
    });
    if (underWay > MAX_UNDER_WAY) request.socket.destroy();
    return exchange;
  }

  /**
   * Judges the head of a request, in the order that tells a stranger least.
   * @returns undefined where it is answered already.
   * @throws Refusal
   */
  #accept(request: http.IncomingMessage, exchange: HttpExchange): RequestHead | undefined {
    const { headers, socket } = request;
    if (this.#isStopping) throw Refusal.closing();
    if (this.#connections.isExcess(socket)) throw Refusal.tooManyConnections();
    exchange.fields = this.#cors.fieldsFor(request);
    const preflight = this.#cors.preflightFor(request);
    if (preflight !== undefined) {
      exchange.permit(preflight);
      return undefined;
    }
    const tenant = this.#gate.tenantOf(headers.authorization);
    const signal = exchange.head.accept();
    if (exchange.encoding === undefined) throw Refusal.unknownContentType(CONTENT_TYPES);
    const contentEncoding = normalEncoding(headers['content-encoding']);
    if (contentEncoding !== undefined && !CONTENT_ENCODINGS.includes(contentEncoding)) {
      throw Refusal.unknownEncoding(CONTENT_ENCODINGS);
    }
    return {
      signal,
      transport: 'http',
      contentType: exchange.encoding === 'json' ? 'application/json' : 'application/x-protobuf',
      contentEncoding,
      headers: this.#options.sink.ignoresBodies
        ? NO_HEADERS
        : passedHeaders(request.headersDistinct, !this.#gate.isOpen),
      tenant,
    };
  }

  /** What came is no HTTP, or did not come in time. */
  #senderFailed(error: Error, socket: Duplex): void {
    const code = 'code' in error ? String(error.code) : '';
    const exchange = this.#latest.get(socket);
    const isTimeout = code === 'ERR_HTTP_REQUEST_TIMEOUT';
    if (exchange?.isWhole) {
      // The fault is in what follows; the answer under way goes out first.
      exchange.closes = true;
    } else if (exchange !== undefined && exchange.status === undefined && !isTimeout) {
      exchange.fail(REFUSALS[code] ?? Refusal.malformed('expected a valid HTTP/1.1 body'));
    } else if (exchange !== undefined || code === 'ECONNRESET' || (socket as Socket).bytesRead === 0) {
      socket.destroy();
    } else {
      const refusal = isTimeout
        ? Refusal.tooSlow('whole headers', this.#options.headersTimeoutMillis)
        : (REFUSALS[code] ?? Refusal.malformed('expected a valid HTTP/1.1 request'));
      answerRaw(socket, refusal, contentTypeIn(error));
    }
  }
}

/** Longer than any SDK waits between two batches, lest a connection closes under the next one. */
const IDLE_MILLIS = 75_000;
const SLACK_MILLIS = 5_000;
/**
 * Nobody who waits for answers has so many requests under way on one connection. Who does is cut off, as an answer that
 * waits costs a hundred times what it takes to ask for it.
 */
const MAX_UNDER_WAY = 256;

const REFUSALS: Readonly<Record<string, Refusal>> = {
  HPE_HEADER_OVERFLOW: Refusal.largeHeaders(),
  HPE_PAUSED_H2_UPGRADE: Refusal.malformed('expected HTTP/1.1, not HTTP/2; gRPC is taken on another port'),
};
