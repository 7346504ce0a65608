import type { EventEmitter } from 'node:events';

/** Counts connections, and knows which came when there were enough. */
export class ConnectionCount {
  /** So many beyond the bound are heard and told to come again; the server takes no more than that. */
  static readonly spare = 64;
  readonly #limit: number;
  readonly #excess = new WeakSet<EventEmitter>();
  #count = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(connection: EventEmitter): void {
    this.#count++;
    if (this.#count > this.#limit) this.#excess.add(connection);
    connection.once('close', () => this.#count--);
  }

  isExcess(connection: EventEmitter): boolean {
    return this.#excess.has(connection);
  }
}
