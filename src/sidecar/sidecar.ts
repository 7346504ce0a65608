import type { Logger } from 'pino';
import { messageOf } from '../support/told-error.ts';
import { formatListenAddress, type ListenAddress } from './config/config-address.ts';
import { maskUrl } from './config/config-print.ts';
import type { SidecarConfig } from './config/config-schema.ts';
import { Forwarding } from './forward/forwarding.ts';
import { LearningSink } from './learning-sink.ts';
import { addressOf, adminTokens, openListeners, tlsOf } from './listener-options.ts';
import { SidecarMetrics } from './metrics.ts';
import { PlanApi } from './plan-api/plan-api.ts';
import type { Readiness } from './plan-api/plan-api-schemas.ts';
import { PlanApiServer } from './plan-api/plan-api-server.ts';
import { createReceivers, type Receiver } from './receivers.ts';
import { ShutdownBudget } from './shutdown-budget.ts';
import { AnswerCounts, readingsOf } from './sidecar-readings.ts';
import { StartError } from './start-error.ts';
import { describeStoreFailure, StoreHealth } from './store-health.ts';
import { tenantStore } from './tenant-store.ts';
import { openTenants, type Tenants } from './tenants.ts';

export { type ConfigSources, readConfig } from './config/config.ts';
export type { ListenAddress } from './config/config-address.ts';
export { ConfigError, type ConfigMistake } from './config/config-error.ts';
export type { CommonSettings } from './config/config-overlay.ts';
export type { SidecarConfig } from './config/config-schema.ts';
export { StartError } from './start-error.ts';

/** What was left when the sidecar stopped. */
export interface StopReport {
  readonly isComplete: boolean;
  /** Spans whose runs could not be written. */
  readonly spansNotLearned: number;
  /** Requests that were not delivered and are lost. */
  readonly requestsNotForwarded: number;
  /** Requests that rest in the durable queue, to go on after the next start. */
  readonly requestsKept: number;
}

/**
 * The sidecar, wired up:
 *
 *     OTLP/HTTP, OTLP/gRPC → LearningSink ─→ the tenant's Pipeline → its plans ←─ PlanApi ← admin port
 *                                         └→ Forwarding → where spans went before
 *
 * Made with what `readConfig` reads, and a logger of pino.
 */
export class Sidecar {
  readonly #config: SidecarConfig;
  readonly #version: string;
  readonly #log: Logger;
  readonly #metrics = new SidecarMetrics();
  readonly #answers = new AnswerCounts();
  #state: 'starting' | 'ready' | 'draining' = 'starting';
  #parts: Parts | undefined;
  #receivers: readonly Receiver[] = [];
  #stopping: Promise<StopReport> | undefined;

  constructor(config: SidecarConfig, version: string, log: Logger) {
    this.#config = config;
    this.#version = version;
    this.#log = log;
  }

  /**
   * Opens the store, then the admin port, then the receivers.
   * @returns where it listens.
   * @throws StartError that says what to do; nothing goes on then.
   */
  async start(): Promise<Readonly<Record<string, ListenAddress>>> {
    try {
      return await this.#start();
    } catch (error) {
      await this.#release();
      if (error instanceof StartError) throw error;
      throw new StartError(sentenceOf(error), { cause: error });
    }
  }

  async #start(): Promise<Readonly<Record<string, ListenAddress>>> {
    this.#metrics.install();
    const parts = await this.#open();
    this.#parts = parts;
    await this.#checkStore(parts.health);
    const bound: Record<string, ListenAddress> = { admin: await named('admin port', parts.server.listen()) };
    for (const [name, receiver] of await createReceivers(this.#config, parts.sink, this.#answers)) {
      this.#receivers = [...this.#receivers, receiver];
      bound[name] = await named(`OTLP/${name}`, receiver.listen());
    }
    const listeners = openListeners(this.#config);
    if (listeners.length > 0) {
      this.#log.warn({ listeners }, 'others can reach these listeners, which lack TLS, a token, or both');
    }
    const { http } = this.#config.receivers.otlp.protocols;
    if (http !== undefined && this.#config.exporters.otlp !== undefined) {
      this.#log.warn(
        'OTLP/JSON cannot be forwarded over gRPC: such requests are refused (415); senders need protobuf, or use otlphttp',
      );
    }
    this.#state = 'ready';
    const addresses = Object.entries(bound).map(([name, address]) => [name, formatListenAddress(address)]);
    const forward = parts.forwarding?.endpoint;
    this.#log.info(
      { ...Object.fromEntries(addresses), store: storeOf(this.#config), ...(forward && { forward }) },
      'ready: spans can be sent',
    );
    return bound;
  }

  async #open(): Promise<Parts> {
    const config = this.#config;
    const tenants = await openTenants(config);
    const forwarding = await Forwarding.open(config);
    const sink = new LearningSink(config.receivers.otlp.max_in_flight_size, tenants, forwarding);
    const { admin } = config.extensions;
    const api = new PlanApi(Math.max(1, Math.floor(admin.max_listeners / tenants.size)));
    const server = new PlanApiServer({
      ...addressOf(admin),
      tls: tlsOf(admin, 'admin port'),
      tokens: adminTokens(config),
      allowedHosts: admin.allowed_hosts,
      api,
      tenants,
      readiness: () => this.#readiness(),
      metrics: () => this.#metrics.text(),
      version: this.#version,
    });
    const health = new StoreHealth(tenants);
    const parts = { forwarding, tenants, sink, api, server, health };
    this.#metrics.observe(
      readingsOf({
        ...parts,
        answers: this.#answers,
        maxInFlight: config.receivers.otlp.max_in_flight_size,
        readiness: () => this.#readiness(),
        watched: [storeKind(config), ...(forwarding === undefined ? [] : (['forward'] as const))],
      }),
    );
    return parts;
  }

  /** A server that is away may come; a directory that cannot be used, or a wrong password, stays as it is. */
  async #checkStore(health: StoreHealth): Promise<void> {
    const failures = await health.probe();
    const mayCome = this.#config.exporters.redis !== undefined;
    const wrong = failures.find(({ message }) => !mayCome || REFUSED.test(message));
    if (wrong !== undefined) {
      const sentence = sentenceOf(describeStoreFailure(wrong));
      throw new StartError(`${sentence} Give another store with --store, or see to this one.`);
    }
    health.note(failures);
  }

  #readiness(): Readiness {
    const { sink, health, forwarding } = this.#parts ?? {};
    const degraded: Readiness['degraded'] = [];
    if (health?.isGood === false) degraded.push(storeKind(this.#config));
    if (forwarding?.isGood === false) degraded.push('forward');
    const isFull = this.#state === 'ready' && (sink?.isFull === true || forwarding?.isFull === true);
    return { status: isFull ? 'full' : this.#state, degraded };
  }

  /**
   * Finishes what is in flight, learns and writes everything, delivers what is to be forwarded; all of it within the
   * time that the configuration gives. Idempotent; never rejects.
   */
  stop(): Promise<StopReport> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<StopReport> {
    this.#state = 'draining';
    const budget = new ShutdownBudget(this.#config.service.shutdown_timeout);
    for (const receiver of this.#receivers) receiver.stopAccepting();
    const { tenants = new Map() as Tenants, forwarding } = this.#parts ?? {};
    const pipelines = [...tenants.values()].map(({ pipeline }) => pipeline);
    const { inFlightMillis } = budget;
    await Promise.all([
      ...this.#receivers.map((receiver) => receiver.close(inFlightMillis)),
      // What was taken is learned meanwhile.
      ...pipelines.map((pipeline) => pipeline.flush(inFlightMillis)),
    ]);
    await Promise.all([
      ...pipelines.map((pipeline) => pipeline.shutdown(budget.workMillis)),
      forwarding?.drain(budget.workMillis),
    ]);
    const spansNotLearned = pipelines.reduce(
      (sum, { account: { awaiting, buffered, dropped } }) =>
        sum + awaiting + buffered + (dropped.shutdown ?? 0),
      0,
    );
    const { lost: requestsNotForwarded = 0, kept: requestsKept = 0 } = (await forwarding?.close()) ?? {};
    await budget.await(this.#release());
    const isComplete = spansNotLearned + requestsNotForwarded === 0;
    return { isComplete, spansNotLearned, requestsNotForwarded, requestsKept };
  }

  /** Gives back all that was opened. */
  async #release(): Promise<void> {
    const { tenants, forwarding, health, server } = this.#parts ?? {};
    await Promise.all(this.#receivers.map((receiver) => receiver.close(0)));
    health?.stop();
    server?.close();
    for (const { store, reader, pipeline } of tenants?.values() ?? []) {
      await pipeline.shutdown(0);
      await reader.close();
      await store.close();
    }
    await forwarding?.close();
    await this.#metrics.close();
  }
}

interface Parts {
  readonly forwarding: Forwarding | undefined;
  readonly tenants: Tenants;
  readonly sink: LearningSink;
  readonly api: PlanApi;
  readonly server: PlanApiServer;
  readonly health: StoreHealth;
}

/** What Redis says where the password or the rights are not enough, which does not pass by itself. */
const REFUSED = /\b(?:NOAUTH|WRONGPASS|NOPERM)\b/;

async function named<T>(what: string, listening: Promise<T>): Promise<T> {
  try {
    return await listening;
  } catch (error) {
    throw new StartError(`${what}: ${sentenceOf(error)}`, { cause: error });
  }
}

function sentenceOf(error: unknown): string {
  const message = messageOf(error);
  return message.replace(/\.?$/, '.');
}

function storeKind({ exporters }: SidecarConfig): 'redis' | 'lmdb' | 'memory' {
  if (exporters.redis !== undefined) return 'redis';
  return exporters.lmdb !== undefined ? 'lmdb' : 'memory';
}

function storeOf(config: SidecarConfig): string {
  return maskUrl(tenantStore(config, undefined).url);
}
