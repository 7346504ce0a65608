import type { OtlpRequest, UpstreamAnswer } from '../../source/receiver/otlp-sink.ts';
import { errorCode } from '../../support/error-code.ts';
import { suppressTracing } from '../../support/suppress-tracing.ts';
import { DurableQueue } from './durable-queue.ts';
import type { ForwardDrop, ForwarderStats } from './forward-account.ts';
import { forwardAnswer } from './forward-answer.ts';
import { ForwardConsumers } from './forward-consumers.ts';
import { HttpUpstream } from './forward-http-upstream.ts';
import { forwardItem } from './forward-item.ts';
import { ForwardLedger } from './forward-ledger.ts';
import {
  type ForwarderOptions,
  type ResolvedForwarderOptions,
  resolveForwarderOptions,
} from './forward-options.ts';
import type { ForwardTls, Upstream, UpstreamReply } from './forward-upstream.ts';

export type { ForwardDrop, ForwarderStats };

/**
 * Passes requests on, unchanged, to where they went before this sidecar stood between. Never throws.
 *
 *     forward ─► (durable queue, on disk) ─► queue ─► 10 consumers ─► upstream ─► delivered │ rejected
 *                                                          ↑             │
 *                                                          └── pause ◄── not now
 *
 * What became of each request is written down in the ledger.
 */
export class Forwarder {
  readonly #upstream: Upstream;
  readonly #disk: DurableQueue | undefined;
  readonly #ledger: ForwardLedger;
  readonly #consumers: ForwardConsumers;
  #closing: Promise<void> | undefined;

  private constructor(
    options: ResolvedForwarderOptions,
    upstream: Upstream,
    disk: DurableQueue | undefined,
    onDrop: (drop: ForwardDrop) => void,
  ) {
    this.#upstream = upstream;
    this.#disk = disk;
    this.#ledger = new ForwardLedger(options.endpoint, options.queue.maxBytes, onDrop);
    this.#consumers = new ForwardConsumers(options, this.#ledger, (request) => this.#send(request, false));
  }

  /**
   * Opens the queue and begins to send what an earlier process left in it. The upstream need not be there.
   * @throws RangeError for options that contradict; Error where the durable queue cannot be opened
   */
  static async open(
    options: ForwarderOptions,
    onDrop: (drop: ForwardDrop) => void = () => {},
  ): Promise<Forwarder> {
    const resolved = resolveForwarderOptions(options);
    const upstream = await upstreamOf(resolved);
    const { storage } = resolved.queue;
    const disk = storage === undefined ? undefined : await DurableQueue.open(storage);
    const forwarder = new Forwarder(resolved, upstream, disk, onDrop);
    if (disk !== undefined) forwarder.#resume(disk);
    return forwarder;
  }

  get stats(): ForwarderStats {
    return this.#ledger.stats;
  }

  /** Whether the upstream cannot be reached, or has no time, as far as is known. */
  get isFailing(): boolean {
    return this.#ledger.isFailing;
  }

  /** Whether the last request found no room in the queue, and would find none now. */
  get isFull(): boolean {
    return this.#ledger.queue.isFull;
  }

  /**
   * Takes a request to be sent later. Never throws and never rejects.
   * @returns undefined where the sender may be answered at once, with success. Else a promise to wait for: of undefined
   * once the request rests on disk, so that success can be answered; or of the answer for a sender whose request was
   * not taken.
   */
  forward(request: OtlpRequest): Promise<UpstreamAnswer | undefined> | undefined {
    this.#ledger.receive();
    const refusal = this.#upstream.refusalOf(request);
    if (refusal !== undefined) return Promise.resolve(this.#ledger.refuse(refusal, 'json_over_grpc'));
    if (this.#disk !== undefined) return this.#store(this.#disk, request);
    const item = forwardItem.inMemory(request);
    if (this.#closing !== undefined) this.#ledger.drop(item, 'shutdown');
    else if (!this.#ledger.queue.admits(item.bytes)) this.#ledger.drop(item, 'queue_full');
    else this.#consumers.enqueue(item);
    return undefined;
  }

  /** Sends a request once, at once, and gives the upstream's own answer. Never rejects. */
  async forwardSync(request: OtlpRequest): Promise<UpstreamAnswer> {
    this.#ledger.receive();
    const refusal = this.#upstream.refusalOf(request);
    if (refusal !== undefined) return this.#ledger.refuse(refusal, 'json_over_grpc');
    if (this.#closing !== undefined) return this.#ledger.refuse(comeAgain(request), 'shutdown');
    const item = forwardItem.inMemory(request);
    this.#ledger.queue.add(item);
    const { outcome, cause, answer } = await this.#send(request, true);
    if (!this.#ledger.queue.remove(item)) return answer; // counted at close
    if (outcome === 'rejected') return this.#ledger.refuse(answer, 'rejected');
    if (outcome === 'again') {
      this.#ledger.fail(cause, 'senders are told so');
      return this.#ledger.refuse(answer, 'unavailable');
    }
    this.#ledger.pass();
    return answer;
  }

  /** Certificates for connections made from now on; what is in flight is not disturbed. */
  renew(tls: ForwardTls): void {
    if (this.#closing === undefined) this.#upstream.renew(tls);
  }

  /** Waits until nothing is queued, or so many milliseconds have passed. Requests that pause are tried at once. */
  drain(timeoutMillis: number): Promise<void> {
    return this.#consumers.drain(timeoutMillis);
  }

  /** Ends at once: what is queued is dropped, or stays in the durable queue. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#ledger.close();
    this.#upstream.close();
    this.#consumers.end();
    await this.#disk?.close();
  }

  #resume(disk: DurableQueue): void {
    for (const entry of disk.entries()) {
      this.#ledger.receive();
      this.#consumers.enqueue(forwardItem.onDisk(disk, entry));
    }
  }

  async #store(disk: DurableQueue, request: OtlpRequest): Promise<UpstreamAnswer | undefined> {
    const { queue } = this.#ledger;
    // Room is taken before the request is written, so that many at a time cannot outgrow the bound.
    const writing = { ...forwardItem.inMemory(request), isDurable: true };
    if (this.#closing !== undefined) return this.#ledger.refuse(comeAgain(request), 'shutdown');
    if (!queue.admits(writing.bytes)) return this.#ledger.refuse(comeAgain(request), 'queue_full');
    queue.add(writing);
    try {
      const entry = await disk.append(request, writing.bytes);
      // Where it was closed meanwhile, the entry rests there, and counts as held already.
      if (queue.remove(writing)) this.#consumers.enqueue(forwardItem.onDisk(disk, entry));
      return undefined;
    } catch (error) {
      this.#ledger.unstore(writing, errorCode(error) ?? '');
      return this.#ledger.refuse(comeAgain(request), 'not_stored');
    }
  }

  async #send(request: OtlpRequest, wantsBody: boolean): Promise<UpstreamReply> {
    return await suppressTracing(() => this.#upstream.send(request, wantsBody));
  }
}

/** For a sender whose request finds no room, or a forwarder that closes. */
function comeAgain(request: OtlpRequest): UpstreamAnswer {
  const text = 'there is no room in the queue for forwarding at the moment';
  return forwardAnswer.failure(request, 503, text, 1 + Math.floor(Math.random() * 3));
}

/** gRPC is loaded only where it is used. */
async function upstreamOf(options: ResolvedForwarderOptions): Promise<Upstream> {
  if (options.protocol === 'http') return new HttpUpstream(options);
  const { GrpcUpstream } = await import('./forward-grpc-upstream.ts');
  return new GrpcUpstream(options);
}
