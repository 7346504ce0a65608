import { PassThrough, type Readable } from 'node:stream';
import { keepCompiled } from '../../support/keep-compiled.ts';
import { freeMemory } from './free-memory.ts';
import { Refusal } from './refusal.ts';

/** The sender went away before its body was whole; there is nobody to answer. */
export class SenderGoneError extends Error {
  constructor() {
    super('the sender went away');
    this.name = 'SenderGoneError';
  }
}

/** Where the chunks of a body go. */
export interface ChunkSink {
  /** What it throws ends the reading. */
  push(chunk: Buffer): void;
}

export interface ReadBodyOptions {
  readonly timeoutMillis: number;
  /** Ends the reading where the connection is of no more use, though the stream does not know. */
  readonly signal?: AbortSignal;
  /** Whether the memory of a chunk is given back as soon as it was pushed. */
  readonly freesChunks?: boolean;
}

/**
 * Reads a stream to its end, and leaves it open whatever happens: the answer goes out by the same connection.
 * @throws Refusal where it takes too long, whatever `into` throws, or SenderGoneError.
 */
export function readBody(stream: Readable, into: ChunkSink, options: ReadBodyOptions): Promise<void> {
  return new BodyReading(stream, into, options).begin();
}

/**
 * Its listeners are methods that are bound, and not functions of each reading: what the engine compiled for these it drops
 * whenever nothing is read.
 */
class BodyReading {
  readonly #stream: Readable;
  readonly #into: ChunkSink;
  readonly #options: ReadBodyOptions;
  readonly #onData = this.#push.bind(this);
  readonly #onEnd = this.#end.bind(this);
  readonly #onGone = this.#leave.bind(this);
  #resolve: () => void = () => {};
  #reject: (error: unknown) => void = () => {};
  #timer: NodeJS.Timeout | undefined;
  #isDone = false;

  constructor(stream: Readable, into: ChunkSink, options: ReadBodyOptions) {
    this.#stream = stream;
    this.#into = into;
    this.#options = options;
  }

  begin(): Promise<void> {
    const stream = this.#stream;
    const { signal, timeoutMillis } = this.#options;
    const whole = new Promise<void>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (signal?.aborted || (stream.destroyed && !stream.readableEnded)) {
      this.#leave();
      return whole;
    }
    this.#timer = setTimeout(this.#giveUp.bind(this), timeoutMillis);
    signal?.addEventListener('abort', this.#onGone);
    stream.on('data', this.#onData).on('end', this.#onEnd);
    stream.on('close', this.#onGone).on('error', this.#onGone);
    return whole;
  }

  #push(chunk: Buffer): void {
    try {
      this.#into.push(chunk);
      if (this.#options.freesChunks) freeMemory(chunk);
    } catch (error) {
      this.#stop(error);
    }
  }

  /** The listeners stay, which costs less than to take them away: nothing more comes to them but the close. */
  #end(): void {
    this.#finish();
    this.#resolve();
  }

  #leave(): void {
    if (!this.#isDone) this.#stop(new SenderGoneError());
  }

  #giveUp(): void {
    this.#stop(Refusal.tooSlow('the whole body', this.#options.timeoutMillis));
  }

  #finish(): void {
    this.#isDone = true;
    clearTimeout(this.#timer);
    this.#options.signal?.removeEventListener('abort', this.#onGone);
  }

  #stop(error: unknown): void {
    const stream = this.#stream;
    this.#finish();
    stream.off('data', this.#onData).off('end', this.#onEnd);
    stream.off('close', this.#onGone).off('error', this.#onGone);
    // Without a reader the stream would go on by itself; what remains is for whoever refuses.
    stream.pause();
    this.#reject(error);
  }
}

keepCompiled(new BodyReading(new PassThrough(), { push: () => {} }, { timeoutMillis: 0 }));
