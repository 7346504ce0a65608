import type { OtlpRequest, UpstreamAnswer } from '../../source/receiver/otlp-sink.ts';
import { backoffMillis } from './forward-backoff.ts';
import type { ForwardItem } from './forward-item.ts';
import type { ForwardLedger } from './forward-ledger.ts';
import type { ResolvedForwarderOptions } from './forward-options.ts';
import { ForwardPauses } from './forward-pauses.ts';
import type { UpstreamReply } from './forward-upstream.ts';

/**
 * Works off the queue, a few requests at a time:
 *
 *     queue ─► load ─► send ─► delivered │ rejected │ again ─► pause ─► send …
 *
 * A consumer keeps its request while it pauses, so that an upstream in trouble is asked by no more than these at a
 * time. Order is not kept.
 */
export class ForwardConsumers {
  readonly #options: ResolvedForwarderOptions;
  readonly #ledger: ForwardLedger;
  readonly #send: (request: OtlpRequest) => Promise<UpstreamReply>;
  readonly #pauses = new ForwardPauses();
  /** Consumers that have a request. */
  #busy = 0;
  #isDraining = false;

  /** @param send sends a request once, and never rejects. */
  constructor(
    options: ResolvedForwarderOptions,
    ledger: ForwardLedger,
    send: (request: OtlpRequest) => Promise<UpstreamReply>,
  ) {
    this.#options = options;
    this.#ledger = ledger;
    this.#send = send;
  }

  enqueue(item: ForwardItem): void {
    this.#ledger.queue.enqueue(item);
    this.#pump();
  }

  /** Waits until nothing is queued, or so many milliseconds have passed. Requests that pause are tried at once. */
  async drain(timeoutMillis: number): Promise<void> {
    this.#isDraining = true;
    this.#pauses.wake();
    await this.#ledger.queue.whenEmpty(timeoutMillis);
    this.#isDraining = false;
  }

  /** Ends all pauses. To be called when nothing is queued any more. */
  end(): void {
    this.#pauses.end();
  }

  #pump(): void {
    while (this.#busy < this.#options.queue.consumers) {
      const item = this.#ledger.queue.next();
      if (item === undefined) return;
      this.#busy++;
      void this.#deliver(item).finally(() => {
        this.#busy--;
        this.#pump();
      });
    }
  }

  async #deliver(item: ForwardItem): Promise<void> {
    const ledger = this.#ledger;
    const request = item.load();
    if (request === 'damaged') return ledger.drop(item, 'unreadable');
    if (request === 'gone') return ledger.disown(item);
    const expires = performance.now() + this.#options.retry.maxElapsedMillis;
    for (let failures = 1; ; failures++) {
      const { outcome, cause, answer } = await this.#send(request);
      if (!ledger.queue.has(item)) return; // closed
      if (outcome === 'delivered') return ledger.settle(item);
      if (outcome === 'rejected') return ledger.drop(item, 'rejected', cause);
      ledger.fail(cause);
      const asked = this.#askedMillis(item, answer);
      const wait = Math.max(asked, this.#backoff(failures));
      const isOver = performance.now() + wait > expires;
      if (isOver && !item.isDurable) return ledger.drop(item, 'retry_expired', cause);
      ledger.retry();
      await this.#pauses.pause(wait, asked);
      if (!ledger.queue.has(item)) return;
      if (isOver) return ledger.queue.enqueue(item); // others have their turn
    }
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
