/** One mistake in the configuration: where it stands and what was expected. Holds no value, which may be a secret. */
export interface ConfigMistake {
  /** `spanplan.yaml:12:5`, or the flag or variable that brought the value. */
  readonly place: string;
  /** Dotted, as `receivers.otlp.protocols.http.endpoint`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

/** The configuration cannot be used. Holds all mistakes that were found, in the order in which they stand. */
export class ConfigError extends Error {
  readonly mistakes: readonly ConfigMistake[];

  constructor(mistakes: readonly ConfigMistake[]) {
    super(mistakes.map(lineOf).join('\n'));
    this.name = 'ConfigError';
    this.mistakes = mistakes;
  }
}

function lineOf({ place, path, message }: ConfigMistake): string {
  return `${place}: ${path === '' ? '' : `${path}: `}${message}`;
}
