/** A stream of bytes whose beginning can be looked at before it is decided how to read it. */
export class PeekableBytes implements AsyncIterable<Buffer> {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #head: Buffer = Buffer.alloc(0);
  #isAtEnd = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Whether all that is left has been peeked at. */
  get isAtEnd(): boolean {
    return this.#isAtEnd;
  }

  /**
   * Gathers bytes until `isEnough` or the end, and consumes none. A source that fails counts as ended, and its error is
   * thrown when all before it has been read.
   */
  async peek(isEnough: (head: Buffer) => boolean): Promise<Buffer> {
    while (!this.#isAtEnd && !isEnough(this.#head)) await this.#double();
    return this.#head;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    try {
      if (this.#head.length > 0) yield this.#head;
      this.#head = Buffer.alloc(0);
      for (;;) {
        const chunk = await this.#next();
        if (chunk === undefined) break;
        yield chunk;
      }
      if (this.#failure !== undefined) throw this.#failure.error;
    } finally {
      await this.#chunks.return?.();
    }
  }

  /** Makes the head twice as long, not one chunk longer: so that many small chunks are not copied over and over. */
  async #double(): Promise<void> {
    const chunks = [this.#head];
    let missing = Math.max(1, this.#head.length);
    while (missing > 0) {
      const chunk = await this.#next();
      if (chunk === undefined) break;
      chunks.push(chunk);
      missing -= chunk.length;
    }
    this.#head = Buffer.concat(chunks);
  }

  async #next(): Promise<Buffer | undefined> {
    if (this.#isAtEnd) return undefined;
    try {
      const { value, done } = await this.#chunks.next();
      if (!done) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    } catch (error) {
      this.#failure = { error };
    }
    this.#isAtEnd = true;
    return undefined;
  }
}
