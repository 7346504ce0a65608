import type { Span } from '../model/span.ts';

/** The attribute that `isFlatEmitter` reads besides the scope. */
export const FLAT_EMITTER_ATTRIBUTES = ['traceloop.span.kind'] as const;

/**
 * Whether the span comes from an instrumentation that hangs spans below one root whatever encloses them, so that a
 * parent does not tell whose a call is. Only its scope tells such an emitter.
 * @returns true or undefined, as verdicts have it.
 */
export function isFlatEmitter({ scopeName, attributes }: Span): true | undefined {
  if (scopeName === OPENLLMETRY_JS_LANGCHAIN) return true;
  if (scopeName.endsWith('claude_agent_sdk')) return scopeName.startsWith('logfire') || undefined;
  // logfire and OpenTelemetry's own instrumentation of the same library end their scope likewise and keep the tree
  if (scopeName.endsWith('openai_agents'))
    return attributes['traceloop.span.kind'] !== undefined || undefined;
  return undefined;
}

export const OPENLLMETRY_JS_LANGCHAIN = '@traceloop/instrumentation-langchain';
