import { createRequire } from 'node:module';
import * as api from '@opentelemetry/api';
import { context, type Tracer, type TracerProvider, trace } from '@opentelemetry/api';
import { AsyncContextManager } from './async-context-manager.ts';
import type { JoiningProcessor } from './join-provider.ts';
import { type OwnPackages, ownPackages } from './own-packages.ts';
import { type SdkSamplers, sdkSettings } from './sdk-settings.ts';

/**
 * The provider for an application that has none: exports with OTLP as `OTEL_*` says, and calls the given processor.
 * It is registered at once, so that no span is missed, and gives way when the application registers its own after
 * all: its registrations stand aside while one is tried, and its tracers become those of the other provider.
 */
export class OwnProvider implements TracerProvider {
  readonly #provider: SdkProvider;
  #successor: TracerProvider | undefined;
  readonly #registered = new Map<'trace' | 'context', unknown>();

  /** @throws Error that names what is not installed, or the variable that is wrong. */
  constructor(processor: JoiningProcessor, env: Environment) {
    this.#provider = sdkProvider(processor, env);
  }

  register(): void {
    trace.setGlobalTracerProvider(this);
    context.setGlobalContextManager(new AsyncContextManager());
    const shared = sharedApi();
    for (const name of ['trace', 'context'] as const) this.#registered.set(name, shared?.[name]);
  }

  /** Something is about to be registered; what it was shows only afterwards. */
  standAside(): void {
    const shared = sharedApi();
    if (shared === undefined || this.#registered.size === 0) return;
    for (const [name, instance] of this.#registered) {
      if (shared[name] === instance) delete shared[name];
    }
    queueMicrotask(() => {
      for (const [name, instance] of this.#registered) {
        if (shared[name] === undefined) shared[name] = instance;
        else this.#registered.delete(name);
      }
    });
  }

  /** From now on tracers, also those handed out before, are those of the application's provider. */
  giveWayTo(provider: TracerProvider): void {
    this.#registered.delete('trace');
    this.#successor = provider;
  }

  getTracer(...asked: Parameters<TracerProvider['getTracer']>): Tracer {
    const tracer = () => (this.#successor ?? this.#provider).getTracer(...asked);
    return {
      startSpan: (...args) => tracer().startSpan(...args),
      startActiveSpan: (...args: unknown[]) => {
        const current = tracer();
        return Reflect.apply(current.startActiveSpan, current, args);
      },
    };
  }

  forceFlush(): Promise<void> {
    return this.#provider.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.#provider.shutdown();
  }
}

interface SdkProvider extends TracerProvider {
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}

interface Resource {
  merge(other: Resource): Resource;
}

type ProviderClass = new (options: object) => SdkProvider;

/** What is used of the packages; the lines of the SDK differ in names. */
interface Sdk extends SdkSamplers {
  readonly BasicTracerProvider: ProviderClass;
  /** In the package of 3.x only. */
  readonly TracerProvider?: ProviderClass;
  readonly BatchSpanProcessor: new (exporterOrOptions: object) => object;
}
interface Exporters {
  readonly OTLPTraceExporter: new () => object;
}
interface Resources {
  readonly Resource?: { default(): Resource };
  readonly defaultResource?: () => Resource;
  readonly envDetectorSync?: object;
  readonly envDetector: object;
  readonly detectResourcesSync?: (options: object) => Resource;
  readonly detectResources: (options: object) => Resource;
}

type Environment = Readonly<Record<string, string | undefined>>;

const require = createRequire(import.meta.url);

/** By require(), since the application's first line must find the provider there. */
function sdkProvider(processor: JoiningProcessor, env: Environment): SdkProvider {
  const packages = ownPackages('logs' in api, env);
  const sdk = load(packages.sdk, packages) as Sdk;
  const settings = sdk.TracerProvider && sdkSettings(sdk, env);
  const spanProcessors: object[] = [];
  if (packages.exporter !== undefined) {
    const { OTLPTraceExporter } = load(packages.exporter, packages) as Exporters;
    const exporter = new OTLPTraceExporter();
    spanProcessors.push(new sdk.BatchSpanProcessor(settings ? { exporter, ...settings.batch } : exporter));
  }
  spanProcessors.push(processor);
  const Provider = sdk.TracerProvider ?? sdk.BasicTracerProvider;
  const resource = resourceOf(require.resolve(packages.sdk));
  return new Provider({ spanProcessors, resource, ...settings?.provider });
}

function load(name: string, { sdk, exporter = '' }: OwnPackages): unknown {
  try {
    return require(name);
  } catch (error) {
    const both = `npm install ${sdk} ${exporter}`.trim();
    throw new Error(`SPANPLAN_REGISTER_PROVIDER needs ${name}, which cannot be loaded; ${both}`, {
      cause: error,
    });
  }
}

/** What `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` say; the SDK's own default does not read them in 2.x. */
function resourceOf(sdk: string): Resource | undefined {
  const resources = createRequire(sdk)('@opentelemetry/resources') as Resources;
  const standard = resources.defaultResource?.() ?? resources.Resource?.default();
  const detect = resources.detectResourcesSync ?? resources.detectResources;
  const detectors = [resources.envDetectorSync ?? resources.envDetector];
  return standard?.merge(detect({ detectors }));
}

function sharedApi(): Record<string, unknown> | undefined {
  return Reflect.get(globalThis, Symbol.for('opentelemetry.js.api.1'));
}
