import {
  type ChannelCredentials,
  Client,
  type ClientUnaryCall,
  credentials,
  type Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { type ForwardTls, MAX_ANSWER_BYTES, type UpstreamOptions } from './forward-upstream.ts';

/** What came of one call. */
export interface GrpcOutcome {
  /** undefined where the call succeeded. */
  readonly error: ServiceError | undefined;
  readonly body: Buffer;
}

/** A connection to a gRPC upstream, and the calls on it. */
export class GrpcConnection {
  readonly #client: Client;
  readonly #calls = new Set<ClientUnaryCall>();
  #onIdle = () => {};

  constructor({ endpoint, compression }: UpstreamOptions, tls: ForwardTls) {
    this.#client = new Client(targetOf(endpoint), credentialsOf(endpoint, tls), {
      'grpc.max_receive_message_length': MAX_ANSWER_BYTES,
      'grpc.max_send_message_length': -1,
      'grpc.default_compression_algorithm': compression === 'gzip' ? 2 : 0,
      // Trying again is the forwarder's business, and so is noticing soon that the upstream is back.
      'grpc.enable_retries': 0,
      'grpc.initial_reconnect_backoff_ms': 500,
      'grpc.max_reconnect_backoff_ms': 5_000,
      // A new client makes a connection of its own, and is not given one that was found dead.
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_http_proxy': 0,
    });
  }

  /** Rejects once the connection is closed. */
  call(method: string, message: Buffer, metadata: Metadata, timeoutMillis: number): Promise<GrpcOutcome> {
    const deadline = Date.now() + timeoutMillis;
    return new Promise((resolve) => {
      const call = this.#client.makeUnaryRequest(
        method,
        asIs,
        asIs,
        message,
        metadata,
        { deadline },
        (error, body = Buffer.alloc(0)) => {
          this.#calls.delete(call);
          if (this.#calls.size === 0) this.#onIdle();
          resolve({ error: error ?? undefined, body });
        },
      );
      this.#calls.add(call);
    });
  }

  /** Closes it as soon as the calls on it have ended. */
  async retire(): Promise<void> {
    if (this.#calls.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    this.#client.close();
  }

  close(): void {
    for (const call of this.#calls) call.cancel();
    this.#client.close();
  }
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}

function credentialsOf(endpoint: URL, tls: ForwardTls): ChannelCredentials {
  if (endpoint.protocol === 'http:') return credentials.createInsecure();
  const [ca, key, cert] = [tls.ca, tls.key, tls.cert].map((pem) =>
    pem === undefined ? null : Buffer.from(pem),
  );
  return credentials.createSsl(ca, key, cert, { rejectUnauthorized: !tls.insecureSkipVerify });
}

function targetOf({ protocol, hostname, port }: URL): string {
  return `dns:${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`;
}
