import { type DiagLogger, DiagLogLevel, diag } from '@opentelemetry/api';

/** Listens to `diag` until `stop` is called. */
export function captureWarnings(): { readonly lines: string[]; stop(): void } {
  const lines: string[] = [];
  const write = (...parts: unknown[]) => lines.push(parts.map(String).join(' '));
  const logger: DiagLogger = {
    error: write,
    warn: write,
    info: () => {},
    debug: () => {},
    verbose: () => {},
  };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  return { lines, stop: () => diag.disable() };
}
