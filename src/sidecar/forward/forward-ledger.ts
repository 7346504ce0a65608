import type { UpstreamAnswer } from '../../source/receiver/otlp-sink.ts';
import { tell } from '../../support/tell.ts';
import {
  ForwardAccount,
  type ForwardDrop,
  type ForwardDropReason,
  type ForwarderStats,
  type ForwardRefusalReason,
} from './forward-account.ts';
import type { ForwardItem } from './forward-item.ts';
import { ForwardNotices } from './forward-notices.ts';
import { ForwardQueue } from './forward-queue.ts';

/**
 * What became of each request. Every step that one can take stands here, so that the sums agree at every moment:
 *
 *     received ─┬─► refused: its sender was told so
 *               └─► queued ─► sent │ dropped, for a reason │ held, on disk at the end
 */
export class ForwardLedger {
  readonly #onDrop: (drop: ForwardDrop) => void;
  readonly #account = new ForwardAccount();
  readonly #notices: ForwardNotices;
  readonly queue: ForwardQueue;

  constructor(endpoint: URL, maxBytes: number, onDrop: (drop: ForwardDrop) => void) {
    this.#onDrop = onDrop;
    this.#notices = new ForwardNotices(endpoint);
    this.queue = new ForwardQueue(maxBytes);
  }

  get stats(): ForwarderStats {
    const { received, sent, refusals, dropped, held, retries } = this.#account;
    const refused = Object.values(refusals).reduce((sum, count) => sum + count, 0);
    const { size: queuedRequests, bytes: queuedBytes } = this.queue;
    return {
      received,
      sent,
      refused,
      refusals: { ...refusals },
      dropped: { ...dropped },
      queuedRequests,
      queuedBytes,
      held,
      retries,
    };
  }

  get isFailing(): boolean {
    return this.#notices.isFailing;
  }

  receive(): void {
    this.#account.received++;
  }

  refuse(answer: UpstreamAnswer, reason: ForwardRefusalReason): UpstreamAnswer {
    this.#account.refusals[reason]++;
    return answer;
  }

  /** The upstream took it, while its sender waited. */
  pass(): void {
    this.#notices.works();
    this.#account.sent++;
  }

  /** The upstream took it. */
  settle(item: ForwardItem): void {
    this.#notices.works();
    item.forget();
    this.queue.remove(item);
    this.#account.sent++;
  }

  /** The upstream has no time, or is not there. */
  fail(cause: string, whatFollows: 'requests wait' | 'senders are told so' = 'requests wait'): void {
    this.#notices.failing(cause, whatFollows);
  }

  retry(): void {
    this.#account.retries++;
  }

  drop(item: ForwardItem, reason: ForwardDropReason, cause = ''): void {
    item.forget();
    this.queue.remove(item);
    this.#account.dropped[reason]++;
    // At the end whoever closes tells how many were left.
    if (reason !== 'shutdown') this.#notices.lost(reason, cause);
    try {
      this.#onDrop({ reason, cause, signal: item.signal, bytes: item.bytes });
    } catch (error) {
      tell.error('spanplan: onDrop threw', error instanceof Error ? error.name : typeof error);
    }
  }

  /** It is nowhere any more: somebody else deleted it from the durable queue. */
  disown(item: ForwardItem): void {
    if (this.queue.remove(item)) this.#account.received--;
  }

  /** It could not be written to the durable queue. */
  unstore(item: ForwardItem, cause: string): void {
    // Closing may have counted it as resting there.
    if (!this.queue.remove(item)) this.#account.held--;
    this.#notices.lost('not stored', cause);
  }

  /** At the end: what rests on disk stays, the rest is dropped. */
  close(): void {
    for (const item of this.queue.items()) {
      if (!item.isDurable) this.drop(item, 'shutdown');
      else if (this.queue.remove(item)) this.#account.held++;
    }
  }
}
