import { createRequire } from 'node:module';
import { context, type Tracer, type TracerProvider, trace } from '@opentelemetry/api';
import { AsyncContextManager } from './async-context-manager.ts';
import type { JoiningProcessor } from './join-provider.ts';

/**
 * The provider for an application that has none: exports with OTLP as `OTEL_*` says, and calls the given processor.
 * It is registered at once, so that no span is missed, and gives way when the application registers its own after
 * all: its registrations stand aside while one is tried, and its tracers become those of the other provider.
 */
export class OwnProvider implements TracerProvider {
  readonly #provider: SdkProvider;
  #successor: TracerProvider | undefined;
  readonly #registered = new Map<'trace' | 'context', unknown>();

  /** @throws Error that names what is not installed. */
  constructor(processor: JoiningProcessor, env: Readonly<Record<string, string | undefined>>) {
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

/** What is used of the packages; SDK 1.x and 2.x name the resource's parts differently. */
interface Sdk {
  readonly BasicTracerProvider: new (options: object) => SdkProvider;
  readonly BatchSpanProcessor: new (exporter: object) => object;
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

const SDK = '@opentelemetry/sdk-trace-base';
const EXPORTER = '@opentelemetry/exporter-trace-otlp-http';

/** By require(), since the application's first line must find the provider there. */
function sdkProvider(
  processor: JoiningProcessor,
  env: Readonly<Record<string, string | undefined>>,
): SdkProvider {
  const require = createRequire(import.meta.url);
  const { BasicTracerProvider, BatchSpanProcessor } = load(require, SDK) as Sdk;
  const spanProcessors: object[] = [];
  if (env.OTEL_TRACES_EXPORTER?.trim() !== 'none') {
    const { OTLPTraceExporter } = load(require, EXPORTER) as Exporters;
    spanProcessors.push(new BatchSpanProcessor(new OTLPTraceExporter()));
  }
  spanProcessors.push(processor);
  return new BasicTracerProvider({ spanProcessors, resource: resourceOf(require.resolve(SDK)) });
}

function load(require: NodeJS.Require, name: string): unknown {
  try {
    return require(name);
  } catch (error) {
    throw new Error(
      `SPANPLAN_REGISTER_PROVIDER needs ${name}, which cannot be loaded; npm install ${SDK} ${EXPORTER}`,
      { cause: error },
    );
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
