import { randomBytes } from 'node:crypto';
import { diag } from '@opentelemetry/api';
import { suppressTracing } from '../../support/suppress-tracing.ts';
import type { ChangeListeners } from '../change-listeners.ts';
import type { RedisClient } from './redis-client.ts';
import type { RedisConnection } from './redis-connection.ts';

/**
 * Plan changes from other processes, by publish and subscribe. Those of this store are told at once where they are
 * made, so their echo is left out.
 */
export class ChangeFeed {
  readonly channel: string;
  readonly #connection: RedisConnection;
  readonly #listeners: ChangeListeners;
  readonly #origin = randomBytes(8).toString('hex');
  #started = false;

  constructor(connection: RedisConnection, channel: string, listeners: ChangeListeners) {
    this.#connection = connection;
    this.channel = channel;
    this.#listeners = listeners;
  }

  /** What is published of a change made here. */
  message(agentId: string, revision: number | undefined): string {
    return `${this.#origin} ${revision ?? ''} ${agentId}`;
  }

  /** Begins to listen; further calls do nothing. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#connection.duplicate().then(
      (client) => this.#listen(client),
      (error: Error) => diag.debug('spanplan: no subscription to plan changes', error.message),
    );
  }

  #listen(client: RedisClient): void {
    // At every `ready`, as a connection made anew has no subscriptions.
    const subscribe = () => {
      suppressTracing(() => client.subscribe(this.channel)).catch((error: Error) =>
        diag.debug('spanplan: no subscription to plan changes', error.message),
      );
    };
    client.on('message', (channel: string, message: string) => {
      if (channel === this.channel) this.#receive(message);
    });
    client.on('ready', subscribe);
    if (client.status === 'ready') subscribe();
    if (client.status === 'wait') client.connect().catch(() => undefined);
  }

  #receive(message: string): void {
    const match = /^(\w+) (\d*) (.*)$/s.exec(message);
    if (match === null) return;
    const [, origin, revision, agentId = ''] = match;
    if (origin === this.#origin) return;
    this.#listeners.notify({ agentId, revision: revision ? Number(revision) : undefined });
  }
}
