import type { OtlpRequest, UpstreamAnswer } from '../source/otlp-sink.ts';
import { suppressTracing } from '../support/suppress-tracing.ts';
import { tell } from '../support/tell.ts';
import { DurableQueue } from './durable-queue.ts';
import {
  ForwardAccount,
  type ForwardDrop,
  type ForwardDropReason,
  type ForwarderStats,
} from './forward-account.ts';
import { forwardAnswer } from './forward-answer.ts';
import { backoffMillis } from './forward-backoff.ts';
import { HttpUpstream } from './forward-http-upstream.ts';
import { type ForwardItem, forwardItem } from './forward-item.ts';
import { ForwardNotices } from './forward-notices.ts';
import {
  type ForwarderOptions,
  type ResolvedForwarderOptions,
  resolveForwarderOptions,
} from './forward-options.ts';
import { ForwardPauses } from './forward-pauses.ts';
import { ForwardQueue } from './forward-queue.ts';
import type { Upstream, UpstreamReply } from './forward-upstream.ts';

export type { ForwardDrop, ForwardDropReason, ForwarderStats };

/**
 * Passes requests on, unchanged, to where they went before this sidecar stood between. Never throws.
 *
 *     forward ─► (durable queue, on disk) ─► queue ─► 10 consumers ─► upstream ─► delivered │ rejected
 *                                                          ↑             │
 *                                                          └── pause ◄── not now
 *
 * A consumer keeps its request while it pauses, so that an upstream in trouble is asked by no more than ten requests
 * at a time. Order is not kept.
 */
export class Forwarder {
  readonly #options: ResolvedForwarderOptions;
  readonly #upstream: Upstream;
  readonly #disk: DurableQueue | undefined;
  readonly #onDrop: (drop: ForwardDrop) => void;
  readonly #notices: ForwardNotices;
  readonly #queue: ForwardQueue;
  readonly #pauses = new ForwardPauses();
  readonly #account = new ForwardAccount();
  /** Consumers that have a request. */
  #busy = 0;
  #isDraining = false;
  #closing: Promise<void> | undefined;

  private constructor(
    options: ResolvedForwarderOptions,
    upstream: Upstream,
    disk: DurableQueue | undefined,
    onDrop: (drop: ForwardDrop) => void,
  ) {
    this.#options = options;
    this.#upstream = upstream;
    this.#disk = disk;
    this.#onDrop = onDrop;
    this.#notices = new ForwardNotices(options.endpoint);
    this.#queue = new ForwardQueue(options.queue.maxBytes);
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
    const { received, sent, refused, dropped, held, retries } = this.#account;
    const { size: queuedRequests, bytes: queuedBytes } = this.#queue;
    return { received, sent, refused, dropped: { ...dropped }, queuedRequests, queuedBytes, held, retries };
  }

  /** Whether the upstream cannot be reached, or has no time, as far as is known. */
  get isFailing(): boolean {
    return this.#notices.isFailing;
  }

  /**
   * Takes a request to be sent later. Never throws and never rejects.
   * @returns undefined where the sender may be answered at once, with success. Else a promise to wait for: of undefined
   * once the request rests on disk, so that success can be answered; or of the answer for a sender whose request was
   * not taken.
   */
  forward(request: OtlpRequest): Promise<UpstreamAnswer | undefined> | undefined {
    this.#account.received++;
    const refusal = this.#upstream.refusalOf(request);
    if (refusal !== undefined) return Promise.resolve(this.#refuse(refusal));
    if (this.#disk !== undefined) return this.#store(this.#disk, request);
    const item = forwardItem.inMemory(request);
    if (this.#closing !== undefined) this.#drop(item, 'shutdown');
    else if (!this.#queue.hasRoom(item.bytes)) this.#drop(item, 'queue_full');
    else this.#enqueue(item);
    return undefined;
  }

  /** Sends a request once, at once, and gives the upstream's own answer. Never rejects. */
  async forwardSync(request: OtlpRequest): Promise<UpstreamAnswer> {
    this.#account.received++;
    const refusal = this.#upstream.refusalOf(request);
    if (refusal !== undefined) return this.#refuse(refusal);
    if (this.#closing !== undefined) return this.#refuse(comeAgain(request));
    const item = forwardItem.inMemory(request);
    this.#queue.add(item);
    const { outcome, answer } = await this.#send(request, true);
    if (!this.#queue.remove(item)) return answer; // counted at close
    if (outcome !== 'delivered') return this.#refuse(answer);
    this.#account.sent++;
    return answer;
  }

  /** Waits until nothing is queued, or so many milliseconds have passed. Requests that pause are tried at once. */
  async drain(timeoutMillis: number): Promise<void> {
    this.#isDraining = true;
    this.#pauses.wake();
    await this.#queue.whenEmpty(timeoutMillis);
    this.#isDraining = false;
  }

  /** Ends at once: what is queued is dropped, or stays in the durable queue. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const item of this.#queue.items()) {
      if (!item.isDurable) this.#drop(item, 'shutdown');
      else if (this.#queue.remove(item)) this.#account.held++;
    }
    this.#upstream.close();
    this.#pauses.end();
    await this.#disk?.close();
  }

  #resume(disk: DurableQueue): void {
    for (const entry of disk.entries()) {
      this.#account.received++;
      this.#enqueue(forwardItem.onDisk(disk, entry));
    }
  }

  async #store(disk: DurableQueue, request: OtlpRequest): Promise<UpstreamAnswer | undefined> {
    // Room is taken before the request is written, so that many at a time cannot outgrow the bound.
    const writing = { ...forwardItem.inMemory(request), isDurable: true };
    if (this.#closing !== undefined || !this.#queue.hasRoom(writing.bytes)) {
      return this.#refuse(comeAgain(request));
    }
    this.#queue.add(writing);
    try {
      const entry = await disk.append(request, writing.bytes);
      // Where it was closed meanwhile, the entry rests there, and counts as held already.
      if (this.#queue.remove(writing)) this.#enqueue(forwardItem.onDisk(disk, entry));
      return undefined;
    } catch (error) {
      if (!this.#queue.remove(writing)) this.#account.held--;
      this.#notices.lost('not stored', error instanceof Error && 'code' in error ? String(error.code) : '');
      return this.#refuse(comeAgain(request));
    }
  }

  #refuse(answer: UpstreamAnswer): UpstreamAnswer {
    this.#account.refused++;
    return answer;
  }

  #enqueue(item: ForwardItem): void {
    this.#queue.enqueue(item);
    this.#pump();
  }

  #pump(): void {
    while (this.#busy < this.#options.queue.consumers) {
      const item = this.#queue.next();
      if (item === undefined) return;
      this.#busy++;
      void this.#deliver(item).finally(() => {
        this.#busy--;
        this.#pump();
      });
    }
  }

  async #deliver(item: ForwardItem): Promise<void> {
    const request = item.load();
    if (request === 'damaged') return this.#drop(item, 'unreadable');
    if (request === 'gone') return this.#disown(item);
    const expires = performance.now() + this.#options.retry.maxElapsedMillis;
    for (let failures = 1; ; failures++) {
      const { outcome, cause, answer } = await this.#send(request, false);
      if (!this.#queue.has(item)) return; // closed
      if (outcome === 'delivered') return this.#settle(item);
      if (outcome === 'rejected') return this.#drop(item, 'rejected', cause);
      this.#notices.failing(cause);
      const asked = this.#askedMillis(item, answer);
      const wait = Math.max(asked, this.#backoff(failures));
      const isOver = performance.now() + wait > expires;
      if (isOver && !item.isDurable) return this.#drop(item, 'retry_expired', cause);
      this.#account.retries++;
      await this.#pauses.pause(wait, asked);
      if (!this.#queue.has(item)) return;
      if (isOver) return this.#queue.enqueue(item); // others have their turn
    }
  }

  #settle(item: ForwardItem): void {
    this.#notices.works();
    item.forget();
    this.#queue.remove(item);
    this.#account.sent++;
  }

  /** Another process that shares the durable queue delivered it. */
  #disown(item: ForwardItem): void {
    if (this.#queue.remove(item)) this.#account.received--;
  }

  #drop(item: ForwardItem, reason: ForwardDropReason, cause = ''): void {
    item.forget();
    this.#queue.remove(item);
    this.#account.dropped[reason]++;
    // At the end whoever closes tells how many were left.
    if (reason !== 'shutdown') this.#notices.lost(reason, cause);
    try {
      this.#onDrop({ reason, cause, signal: item.signal, bytes: item.bytes });
    } catch (error) {
      tell.error('spanplan: onDrop threw', error instanceof Error ? error.name : typeof error);
    }
  }

  async #send(request: OtlpRequest, wantsBody: boolean): Promise<UpstreamReply> {
    return await suppressTracing(() => this.#upstream.send(request, wantsBody));
  }

  /** How long the upstream asked to be left alone. It cannot ask a durable queue, which never gives up, for ever. */
  #askedMillis({ isDurable }: ForwardItem, { retryAfterSeconds = 0 }: UpstreamAnswer): number {
    const millis = retryAfterSeconds * 1_000;
    return isDurable ? Math.min(millis, this.#options.retry.maxElapsedMillis) : millis;
  }

  #backoff(failures: number): number {
    // In a drain there is little time left, and the upstream's return is to be noticed.
    return backoffMillis(this.#isDraining ? 1 : failures, this.#options.retry, Math.random());
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
