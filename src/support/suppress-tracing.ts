import { context, createContextKey } from '@opentelemetry/api';

/**
 * Runs `call` so that instrumentations make no spans of what it does: what spanplan does itself must not show up in
 * the traces it learns from. The key is the SDK's own, by name, so that the SDK need not be loaded.
 */
export function suppressTracing<T>(call: () => T): T {
  return context.with(context.active().setValue(SUPPRESS_TRACING, true), call);
}

const SUPPRESS_TRACING = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');
