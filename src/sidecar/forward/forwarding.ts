import type { OtlpRequest, UpstreamAnswer } from '../../source/receiver/otlp-sink.ts';
import { type PemContents, PemFiles } from '../../support/pem-files.ts';
import { messageOf } from '../../support/told-error.ts';
import { maskUrl } from '../config/config-print.ts';
import type { DestinationConfig, SidecarConfig } from '../config/config-schema.ts';
import type { Passage } from '../learning-sink.ts';
import { StartError } from '../start-error.ts';
import type { ForwardTls } from './forward-upstream.ts';
import { Forwarder } from './forwarder.ts';

/** What became of requests that were not delivered when forwarding ended. */
export interface ForwardingRest {
  readonly lost: number;
  /** In the durable queue, for the next start. */
  readonly kept: number;
}

/** The Forwarder that the configuration asks for, and what the sidecar wants to know of it. */
export class Forwarding implements Passage {
  /** As it may be shown. */
  readonly endpoint: string;
  readonly #forwarder: Forwarder;
  readonly #certificates: PemFiles;
  readonly #isSync: boolean;
  readonly #isDurable: boolean;

  private constructor(forwarder: Forwarder, certificates: PemFiles, destination: DestinationConfig) {
    this.#forwarder = forwarder;
    this.#certificates = certificates;
    const { endpoint, sync, sending_queue } = destination;
    this.endpoint = maskUrl(endpoint);
    this.#isSync = sync;
    this.#isDurable = sending_queue.storage !== undefined;
  }

  /**
   * @param reloadIntervalMillis how often the files of certificates are looked at for changes.
   * @returns undefined where nothing is to be forwarded.
   * @throws StartError where certificates, headers or the durable queue cannot be used.
   */
  static async open(
    { exporters: { otlphttp, otlp } }: SidecarConfig,
    reloadIntervalMillis = 10_000,
  ): Promise<Forwarding | undefined> {
    const destination = otlphttp ?? otlp;
    if (destination === undefined) return undefined;
    const { endpoint, headers, compression, timeout, sending_queue, retry_on_failure } = destination;
    const { storage } = sending_queue;
    try {
      const certificates = await certificatesOf(destination);
      const forwarder = await Forwarder.open({
        endpoint,
        protocol: otlphttp === undefined ? 'grpc' : 'http',
        headers,
        compression,
        timeoutMillis: timeout,
        tls: tlsOf(destination, certificates.contents),
        queue: {
          maxBytes: sending_queue.queue_size,
          consumers: sending_queue.num_consumers,
          ...(storage !== undefined && { storage }),
        },
        retry: {
          initialIntervalMillis: retry_on_failure.initial_interval,
          maxIntervalMillis: retry_on_failure.max_interval,
          maxElapsedMillis: retry_on_failure.max_elapsed_time,
        },
      });
      certificates.watch(reloadIntervalMillis, (contents) => forwarder.renew(tlsOf(destination, contents)));
      return new Forwarding(forwarder, certificates, destination);
    } catch (error) {
      const reason = messageOf(error);
      throw new StartError(`Nothing can be forwarded: ${reason.replace(/\.?$/, '.')}`, { cause: error });
    }
  }

  pass(request: OtlpRequest): Promise<UpstreamAnswer | undefined> | undefined {
    return this.#isSync ? this.#forwarder.forwardSync(request) : this.#forwarder.forward(request);
  }

  get stats(): Forwarder['stats'] {
    return this.#forwarder.stats;
  }

  /** False while the destination cannot be reached or has no time, or requests find no room in the queue. */
  get isGood(): boolean {
    return !this.#forwarder.isFailing && !this.#forwarder.isFull;
  }

  /** Whether senders are refused because the durable queue has no room. One in memory drops what it cannot hold. */
  get isFull(): boolean {
    return this.#isDurable && this.#forwarder.isFull;
  }

  drain(timeoutMillis: number): Promise<void> {
    return this.#forwarder.drain(timeoutMillis);
  }

  async close(): Promise<ForwardingRest> {
    this.#certificates.close();
    await this.#forwarder.close();
    const { dropped, held } = this.stats;
    return { lost: dropped.shutdown, kept: held };
  }
}

function certificatesOf({ tls }: DestinationConfig): Promise<PemFiles> {
  return PemFiles.load({ caFile: tls.ca_file, certFile: tls.cert_file, keyFile: tls.key_file });
}

function tlsOf({ tls }: DestinationConfig, contents: PemContents): ForwardTls {
  return { ...contents, insecure: tls.insecure, insecureSkipVerify: tls.insecure_skip_verify };
}
