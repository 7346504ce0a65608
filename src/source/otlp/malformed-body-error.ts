/**
 * A body that is not what its format demands, so that nothing of it can be used. Its text says what was expected and
 * where, and never holds any of the body: that may be content.
 */
export class MalformedBodyError extends Error {
  /** What was expected, as a sentence without its full stop. */
  readonly reason: string;
  /** Where in the body, in bytes from its start; undefined where not known. */
  readonly byteOffset: number | undefined;

  constructor(reason: string, byteOffset?: number) {
    super(byteOffset === undefined ? reason : `${reason} (byte ${byteOffset})`);
    this.name = 'MalformedBodyError';
    this.reason = reason;
    this.byteOffset = byteOffset;
  }
}
