import { type DiagLogger, DiagLogLevel, diag } from '@opentelemetry/api';

/** Collects what spanplan's own parts log as warnings, so that a command can show it after its result. */
export class LibraryWarnings {
  readonly #texts = new Set<string>();

  constructor() {
    const note = (message: string, ...details: readonly unknown[]) => {
      if (this.#texts.size < MAX_WARNINGS) this.#texts.add([message, ...details.map(String)].join(': '));
    };
    const ignore = () => {};
    const logger: DiagLogger = { error: note, warn: note, info: ignore, debug: ignore, verbose: ignore };
    diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  }

  get texts(): Iterable<string> {
    return this.#texts;
  }
}

const MAX_WARNINGS = 20;
