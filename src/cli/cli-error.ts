/** What went wrong, in words for whoever typed the command; shown without a stack trace. */
export class CliError extends Error {
  /** 1 where the work failed, 2 where the command was not one that can be done. */
  readonly exitStatus: 1 | 2;

  constructor(message: string, exitStatus: 1 | 2 = 1, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CliError';
    this.exitStatus = exitStatus;
  }
}
