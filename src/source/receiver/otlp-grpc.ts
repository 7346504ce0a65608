import * as http2 from 'node:http2';
import { Server as TlsServer } from 'node:tls';
import { BodyMemory } from './body-memory.ts';
import { boundSession } from './bounded-session.ts';
import { CertificateFiles, type ReceiverTls } from './certificate-files.ts';
import { ConnectionCount } from './connection-count.ts';
import { Gate } from './gate.ts';
import { GrpcCall } from './grpc-call.ts';
import { GrpcMessage } from './grpc-message.ts';
import { InFlight } from './in-flight.ts';
import { CONTENT_ENCODINGS, normalEncoding } from './inflate.ts';
import { Intake, type RequestHead } from './intake.ts';
import { listen } from './listen.ts';
import { NO_HEADERS, passedHeaders } from './passed-headers.ts';
import { readBody, SenderGoneError } from './read-body.ts';
import {
  type BoundAddress,
  type ReceiverOptions,
  type ResolvedReceiverOptions,
  resolveReceiverOptions,
} from './receiver-options.ts';
import { Refusal } from './refusal.ts';
import { Room } from './room.ts';

/**
 * Takes OTLP over gRPC:
 *
 *     connection → HTTP/2 stream → credential, method, encoding → room → message → Intake → status
 *
 * Three unary methods need little of gRPC, and stand here directly on HTTP/2: a gRPC library collects a whole message
 * before anyone can refuse it, for each of a hundred streams of a connection, so the memory of them all has no bound.
 */
export class OtlpGrpcReceiver {
  readonly #options: ResolvedReceiverOptions;
  readonly #intake: Intake;
  readonly #gate: Gate;
  readonly #memory = new BodyMemory();
  readonly #connections: ConnectionCount;
  readonly #inFlight = new InFlight<GrpcCall>();
  readonly #sessions = new Set<http2.ServerHttp2Session>();
  #certificates: CertificateFiles | undefined;
  #server: http2.Http2Server | http2.Http2SecureServer | undefined;
  #isStopping = false;
  #closing: Promise<void> | undefined;

  /** @throws RangeError where an option is wrong. */
  constructor(options: ReceiverOptions) {
    this.#options = resolveReceiverOptions(options, IDLE_MILLIS);
    this.#intake = new Intake(options.sink, this.#options.maxRequestBodySize);
    this.#gate = new Gate(options.auth?.tokens);
    this.#connections = new ConnectionCount(this.#options.maxConnections);
  }

  /** @throws Error with a sentence that says what to do where the port or a certificate cannot be used. */
  async listen(): Promise<BoundAddress> {
    const { tls, host, port, maxConnections } = this.#options;
    const server = tls === undefined ? http2.createServer(SERVER) : await this.#createSecureServer(tls);
    this.#server = server;
    server.maxConnections = maxConnections + ConnectionCount.spare;
    server.on('session', (session) => this.#begin(session));
    server.on('stream', (stream, headers) => void this.#serve(stream, headers));
    // A session's own error ends it; without a listener it would end more.
    server.on('sessionError', () => {});
    const address = await listen(server, host, port);
    this.#certificates?.watch((context) => {
      if (server instanceof TlsServer) server.setSecureContext(context);
    });
    return address;
  }

  /** Takes no new calls; those under way go on. Idempotent. */
  stopAccepting(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#certificates?.close();
    this.#server?.close();
    for (const session of this.#sessions) session.close();
  }

  /**
   * Finishes what is in flight, for so long at most, tells whose calls are left to come again, and closes all
   * connections. Idempotent; never rejects.
   */
  close(timeoutMillis: number): Promise<void> {
    this.stopAccepting();
    this.#closing ??= this.#inFlight
      .finish(timeoutMillis, (call) => call.refuse(Refusal.closing()))
      .then(() => {
        for (const session of this.#sessions) session.destroy();
      });
    return this.#closing;
  }

  async #createSecureServer(tls: ReceiverTls): Promise<http2.Http2SecureServer> {
    const certificates = await CertificateFiles.load(tls);
    const handshakeTimeout = this.#options.headersTimeoutMillis;
    this.#certificates = certificates;
    return http2.createSecureServer({ ...SERVER, ...certificates.settings, handshakeTimeout });
  }

  #begin(session: http2.ServerHttp2Session): void {
    const { headersTimeoutMillis, idleTimeoutMillis } = this.#options;
    this.#connections.add(session);
    this.#sessions.add(session);
    session.once('close', () => this.#sessions.delete(session));
    session.on('error', () => {});
    session.setLocalWindowSize(WINDOW_BYTES);
    boundSession(session, { prefaceMillis: headersTimeoutMillis, idleMillis: idleTimeoutMillis });
    if (this.#isStopping) session.close();
  }

  async #serve(stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders): Promise<void> {
    const call = this.#beginCall(stream, headers);
    const notGrpc = call.httpRefusal;
    if (notGrpc !== undefined) {
      call.refuseHttp(notGrpc);
      return;
    }
    let room: Room | undefined;
    try {
      const head = this.#accept(stream, headers, call);
      room = new Room(this.#options.sink, head, this.#memory);
      const message = new GrpcMessage(this.#intake, head, room);
      await readBody(stream, message, { timeoutMillis: this.#options.bodyTimeoutMillis });
      call.answer(await this.#intake.take(message.head, message.finish(), room));
    } catch (error) {
      if (!(error instanceof SenderGoneError)) {
        call.refuse(error instanceof Refusal ? error : Refusal.unreadable());
      }
    } finally {
      room?.giveBack();
    }
  }

  #beginCall(stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders): GrpcCall {
    const call = new GrpcCall(stream, headers, this.#options);
    this.#inFlight.begin(call);
    stream.once('close', () => {
      call.end();
      const { signal, code: status } = call;
      if (status !== undefined) this.#options.onAnswer?.({ transport: 'grpc', signal, status });
      this.#inFlight.end(call);
    });
    return call;
  }

  /** @throws Refusal */
  #accept(stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders, call: GrpcCall): RequestHead {
    const { session } = stream;
    if (this.#isStopping) throw Refusal.closing();
    if (session !== undefined && this.#connections.isExcess(session)) {
      session.close();
      throw Refusal.tooManyConnections();
    }
    const tenant = this.#gate.tenantOf(headers.authorization);
    if (call.signal === undefined) throw Refusal.unknownMethod();
    const contentEncoding = normalEncoding(String(headers['grpc-encoding'] ?? ''));
    if (contentEncoding !== undefined && !CONTENT_ENCODINGS.includes(contentEncoding)) {
      throw Refusal.unknownEncoding(CONTENT_ENCODINGS);
    }
    return {
      signal: call.signal,
      transport: 'grpc',
      contentType: 'application/x-protobuf',
      contentEncoding,
      headers: this.#options.sink.ignoresBodies
        ? NO_HEADERS
        : passedHeaders({ ...headers, 'content-type': undefined }, !this.#gate.isOpen),
      tenant,
    };
  }
}

/** Senders make another connection when they are told that this one ends. */
const IDLE_MILLIS = 75_000;
/** What a sender may have on its way for one connection, and for one stream of it. */
const WINDOW_BYTES = 2 ** 20;

const SERVER: http2.ServerOptions = {
  settings: {
    enablePush: false,
    initialWindowSize: WINDOW_BYTES,
    maxConcurrentStreams: 100,
    maxHeaderListSize: 16_384,
  },
  /** In megabytes; answers of an upstream may be large. */
  maxSessionMemory: 64,
};
