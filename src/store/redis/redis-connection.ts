import { diag } from '@opentelemetry/api';
import type { RedisOptions } from 'ioredis';
import { suppressTracing } from '../../support/suppress-tracing.ts';
import { StoreError } from '../plan-store.ts';
import type { RedisClient } from './redis-client.ts';
import { parseRedisUrl, type RedisTarget } from './redis-url.ts';
import { isRefusal, storeErrorOf } from './store-error-of.ts';

/**
 * The way to Redis: a client of our own for a URL, or one that the application brings. Every command ends within
 * 2 seconds, whatever the client is set up to do, and is held back while there is no connection, so that nothing
 * piles up in a client's offline queue.
 */
export class RedisConnection {
  /** How the server is named in messages; holds no password. */
  readonly label: string;
  readonly #target: RedisTarget | undefined;
  #client: Promise<Client> | undefined;
  readonly #duplicates = new Set<RedisClient>();
  #closed = false;

  /** @throws RangeError where the URL cannot be read. */
  constructor(to: { readonly url: string } | { readonly client: RedisClient }) {
    if ('url' in to) {
      this.#target = parseRedisUrl(to.url);
      this.label = this.#target.label;
    } else {
      this.#client = Promise.resolve(new Client(to.client));
      this.label = 'the Redis client passed in';
    }
  }

  /** @throws StoreError */
  async command(name: string, args: readonly (string | number | Buffer)[]): Promise<unknown> {
    const client = await this.#connected();
    return this.#within(client.redis.call, client.redis, name, args);
  }

  /** Sends a command to each node that holds keys of its own: all masters of a Cluster, else the one server. */
  async onEachMaster<T>(
    use: (command: (name: string, args: readonly (string | number)[]) => Promise<unknown>) => Promise<T>,
  ): Promise<readonly T[]> {
    const { redis } = await this.#connected();
    const nodes = hasNodes(redis) ? redis.nodes('master') : [redis];
    return Promise.all(nodes.map((node) => use((name, args) => this.#within(node.call, node, name, args))));
  }

  /** A connection of its own for subscriptions; ends with this one. */
  async duplicate(): Promise<RedisClient> {
    const { redis } = await this.#open();
    const duplicate = redis.duplicate();
    this.#duplicates.add(duplicate);
    duplicate.on('error', logError);
    if (this.#target !== undefined) letProcessEnd(duplicate);
    if (this.#closed) duplicate.disconnect();
    return duplicate;
  }

  /** Ends what was opened here; a client passed in goes on. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const duplicate of this.#duplicates) duplicate.disconnect();
    if (this.#target !== undefined)
      await this.#client?.then(
        ({ redis }) => redis.disconnect(),
        () => undefined,
      );
    else await this.#client?.then((client) => client.release());
  }

  async #connected(): Promise<Client> {
    const client = await this.#open();
    if (!(await client.ready())) {
      this.#assertOpen();
      throw storeErrorOf(client.refusal ?? new Error('no connection.'), this.label);
    }
    this.#assertOpen();
    return client;
  }

  #open(): Promise<Client> {
    this.#assertOpen();
    const target = this.#target;
    if (target !== undefined) this.#client ??= createClient(target);
    return this.#client as Promise<Client>;
  }

  #assertOpen(): void {
    if (this.#closed) throw new StoreError('closed', 'The store has been closed.');
  }

  async #within(
    call: RedisClient['call'],
    on: RedisClient,
    name: string,
    args: readonly (string | number | Buffer)[],
  ): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('no answer in time')), COMMAND_TIMEOUT_MILLIS);
    });
    try {
      return await Promise.race([suppressTracing(() => call.call(on, name, [...args])), timeout]);
    } catch (error) {
      this.#assertOpen();
      throw storeErrorOf(error, this.label);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** With the wait for a connection this stays below the 2 seconds of the contract. */
const COMMAND_TIMEOUT_MILLIS = 1_400;
/** A connection that has been down for longer is not waited for. */
const CONNECT_PATIENCE_MILLIS = 500;

/** A client and whether it is connected. */
class Client {
  readonly redis: RedisClient;
  #downSince: number;
  /** Shared by all commands that wait for the connection. */
  #waiting: Promise<boolean> | undefined;
  /** Why the server would not have the connection, a wrong password say; undefined where it had, or was not reached. */
  refusal: Error | undefined;
  readonly #onReady = () => {
    this.refusal = undefined;
  };
  readonly #onError = (error: Error) => {
    // Else a refusal hides behind the closed connection that it leads to.
    if (isRefusal(error)) this.refusal = error;
    logError(error);
  };
  readonly #onDown = () => {
    this.#downSince = performance.now();
  };

  constructor(redis: RedisClient) {
    this.redis = redis;
    this.#downSince = performance.now();
    redis.on('close', this.#onDown);
    redis.on('ready', this.#onReady);
    redis.on('error', this.#onError);
  }

  release(): void {
    this.redis.off('close', this.#onDown);
    this.redis.off('ready', this.#onReady);
    this.redis.off('error', this.#onError);
  }

  /** Whether it is connected, after a short wait where that may help. */
  async ready(): Promise<boolean> {
    const { redis } = this;
    if (redis.status === 'ready') return true;
    if (redis.status === 'wait') {
      this.#downSince = performance.now();
      redis.connect().catch(() => undefined);
    }
    const patience = this.#downSince + CONNECT_PATIENCE_MILLIS - performance.now();
    if (redis.status === 'end' || patience <= 0) return false;
    this.#waiting ??= this.#connects(patience).finally(() => {
      this.#waiting = undefined;
    });
    return this.#waiting;
  }

  #connects(patience: number): Promise<boolean> {
    const { redis } = this;
    return new Promise((resolve) => {
      const finish = (isReady: boolean) => {
        clearTimeout(timer);
        redis.off('ready', onReady);
        redis.off('end', onEnd);
        resolve(isReady);
      };
      const onReady = () => finish(true);
      const onEnd = () => finish(false);
      const timer = setTimeout(onEnd, patience);
      redis.on('ready', onReady);
      redis.on('end', onEnd);
    });
  }
}

async function createClient(target: RedisTarget): Promise<Client> {
  const { Redis } = await import('ioredis');
  const redis = suppressTracing(() => new Redis(optionsFor(target)));
  letProcessEnd(redis);
  return new Client(redis);
}

function optionsFor({ host, port, path, username, password, db, tls }: RedisTarget) {
  return {
    ...(path === undefined ? { host: host ?? '127.0.0.1', port: port ?? 6379 } : { path }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    db,
    ...(tls && { tls: {} }),
    // The commands for these two would need rights of their own, as one for a connection name would.
    disableClientInfo: true,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    connectTimeout: 1_500,
    commandTimeout: COMMAND_TIMEOUT_MILLIS,
    // Ends a connection on which nothing comes back any more, so that a new one is made.
    socketTimeout: 2 * COMMAND_TIMEOUT_MILLIS,
    keepAlive: 30_000,
    retryStrategy: (times: number) =>
      Math.min(1_000, 25 * 2 ** Math.min(times, 10)) * (0.5 + Math.random() / 2),
    // After a failover the old primary refuses writes until the name leads elsewhere.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  } satisfies RedisOptions;
}

/** Our connections alone must not keep a process alive whose work is done; commands under way do, by their timer. */
function letProcessEnd(redis: RedisClient): void {
  const handles = redis as { stream?: { unref?(): void }; reconnectTimeout?: { unref?(): void } | null };
  redis.on('connect', () => handles.stream?.unref?.());
  redis.on('reconnecting', () => handles.reconnectTimeout?.unref?.());
}

/** Commands report their own failures; without a listener ioredis would write to the console. */
function logError(error: Error): void {
  diag.debug('spanplan: Redis connection', error.message);
}

function hasNodes(redis: RedisClient): redis is RedisClient & { nodes(role: 'master'): RedisClient[] } {
  return redis.isCluster;
}
