import { tell } from '../../support/tell.ts';
import { maskUrl } from '../config/config-print.ts';

const QUIET_MILLIS = 60_000;

/** Tells what whoever runs the sidecar should know of forwarding, once an episode or once a minute, not once a request. */
export class ForwardNotices {
  readonly #where: string;
  readonly #toldAt = new Map<string, number>();
  readonly #untold = new Map<string, number>();
  #isFailing = false;

  constructor(endpoint: URL) {
    this.#where = maskUrl(endpoint.href);
  }

  get isFailing(): boolean {
    return this.#isFailing;
  }

  failing(cause: string, whatFollows: string): void {
    if (!this.#isFailing) {
      tell.warn(`spanplan: forwarding to ${this.#where} fails (${cause}); ${whatFollows}`);
    }
    this.#isFailing = true;
  }

  works(): void {
    if (this.#isFailing) tell.info(`spanplan: forwarding to ${this.#where} works again`);
    this.#isFailing = false;
  }

  lost(reason: string, cause: string): void {
    const count = (this.#untold.get(reason) ?? 0) + 1;
    this.#untold.set(reason, count);
    const now = performance.now();
    const toldAt = this.#toldAt.get(reason);
    if (toldAt !== undefined && now - toldAt < QUIET_MILLIS) return;
    this.#toldAt.set(reason, now);
    this.#untold.delete(reason);
    const requests = count === 1 ? '1 request' : `${count} requests`;
    tell.warn(
      `spanplan: ${requests} not forwarded to ${this.#where}: ${reason}${cause === '' ? '' : ` (${cause})`}`,
    );
  }
}
