/** The sidecar cannot start. The message is a sentence or two for whoever started it, and says what to do. */
export class StartError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StartError';
  }
}
