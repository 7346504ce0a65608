import { isMainThread } from 'node:worker_threads';
import type { TracerProvider } from '@opentelemetry/api';
import { FanoutSpanProcessor } from '../fanout-span-processor.ts';
import { flushAtExit } from './flush-at-exit.ts';
import { joinProvider } from './join-provider.ts';
import { OwnProvider } from './own-provider.ts';
import { type RegisterSettings, registerSettings } from './register-settings.ts';
import { watchProviders } from './watch-providers.ts';

/**
 * A process that learns without knowing it:
 *
 *     environment → watch for the global provider → join it, each with a processor of its own → flush at exit
 *
 * Nothing here throws, or keeps the process alive. What its user must know goes to `warn`: the API's `diag` has no
 * logger unless the application sets one.
 */
export class Registration {
  readonly #settings: RegisterSettings;
  readonly #warn: (message: string) => void;
  /** Made early, since its constructor finds mistakes in the settings; for the first provider that comes. */
  #next: FanoutSpanProcessor | undefined;
  #own: OwnProvider | undefined;
  #hasJoined = false;
  #foreign: string | undefined;

  private constructor(settings: RegisterSettings, warn: (message: string) => void) {
    this.#settings = settings;
    this.#warn = warn;
    this.#next = new FanoutSpanProcessor(settings.processor);
  }

  static start(env: Readonly<Record<string, string | undefined>>, warn: (message: string) => void): void {
    // Messages of settings and of packages that are missing; none holds a URL.
    const tell = (what: string, error: unknown) =>
      warn(`spanplan: ${what}: ${error instanceof Error ? error.message : typeof error}`);
    let registration: Registration;
    try {
      registration = new Registration(registerSettings(env), warn);
      registration.#watch();
    } catch (error) {
      tell('nothing will be learned', error);
      return;
    }
    try {
      registration.#provide(env);
    } catch (error) {
      tell('no tracer provider was made, and only one that the application registers is learned from', error);
    }
  }

  #watch(): void {
    watchProviders(
      (provider) => this.#seen(provider),
      () => this.#own?.standAside(),
    );
    if (isMainThread) setTimeout(() => this.#tellIfAlone(), PATIENCE_MILLIS).unref();
  }

  #seen(provider: object): void {
    if (provider === this.#own) return;
    const processor = this.#next ?? new FanoutSpanProcessor(this.#settings.processor);
    this.#next = undefined;
    if (joinProvider(provider, processor)) {
      this.#hasJoined = true;
      process.on('beforeExit', flushAtExit(processor));
    } else {
      this.#next = processor;
      // The API's placeholder, which stands where nothing is registered yet.
      if (provider.constructor.name === 'NoopTracerProvider') return;
      this.#foreign = provider.constructor.name;
    }
    this.#own?.giveWayTo(provider as TracerProvider);
  }

  #provide(env: Readonly<Record<string, string | undefined>>): void {
    if (!this.#settings.buildsProvider || this.#hasJoined || this.#foreign !== undefined) return;
    if (env.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true') throw new Error('OTEL_SDK_DISABLED is true');
    const own = new OwnProvider(this.#next ?? new FanoutSpanProcessor(this.#settings.processor), env);
    this.#next = undefined;
    this.#own = own;
    own.register();
    this.#hasJoined = true;
    // Nobody else knows of it. Its exporter may fail, and says so through diag.
    process.once('beforeExit', () => void own.shutdown().catch(() => {}));
  }

  #tellIfAlone(): void {
    if (this.#hasJoined) return;
    const seconds = PATIENCE_MILLIS / 1_000;
    const hint = this.#settings.buildsProvider
      ? ''
      : ' SPANPLAN_REGISTER_PROVIDER=1 makes one where the application has none.';
    const why =
      this.#foreign === undefined
        ? `no OpenTelemetry tracer provider was registered in the first ${seconds} s; one that comes later is still joined.${hint}`
        : `the tracer provider (${this.#foreign}) is none of the OpenTelemetry SDK 1.x, 2.x or 3.x; nothing is learned.`;
    this.#warn(`spanplan: ${why}`);
  }
}

const PATIENCE_MILLIS = 60_000;
