import type { Readable } from 'node:stream';
import { Refusal } from './refusal.ts';

/** The sender went away before its body was whole; there is nobody to answer. */
export class SenderGoneError extends Error {
  constructor() {
    super('the sender went away');
    this.name = 'SenderGoneError';
  }
}

/** What a stream gives until it ends. */
export interface ReadBodyOptions {
  readonly timeoutMillis: number;
  /** Ends the reading where the connection is of no more use, though the stream does not know. */
  readonly signal?: AbortSignal;
  /** Sees each chunk; what it throws ends the reading. */
  readonly onChunk: (chunk: Buffer) => void;
}

/**
 * Reads a stream to its end, and leaves it open whatever happens: the answer goes out by the same connection.
 * @throws Refusal where it takes too long, whatever `onChunk` throws, or SenderGoneError.
 */
export function readBody(stream: Readable, options: ReadBodyOptions): Promise<void> {
  const { timeoutMillis, signal, onChunk } = options;
  return new Promise((resolve, reject) => {
    let isDone = false;
    const timer = setTimeout(() => stop(Refusal.tooSlow('the whole body', timeoutMillis)), timeoutMillis);
    const finish = () => {
      isDone = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onGone);
    };
    const stop = (error: unknown) => {
      finish();
      stream.off('data', onData).off('end', onEnd).off('close', onGone).off('error', onGone);
      // Without a reader the stream would go on by itself; what remains is for whoever refuses.
      stream.pause();
      reject(error);
    };
    const onData = (chunk: Buffer) => {
      try {
        onChunk(chunk);
      } catch (error) {
        stop(error);
      }
    };
    // The listeners stay, which costs less than to take them away: nothing more comes to them but the close.
    const onEnd = () => {
      finish();
      resolve();
    };
    const onGone = () => {
      if (!isDone) stop(new SenderGoneError());
    };
    if (signal?.aborted || (stream.destroyed && !stream.readableEnded)) {
      onGone();
      return;
    }
    signal?.addEventListener('abort', onGone);
    stream.on('data', onData).on('end', onEnd).on('close', onGone).on('error', onGone);
  });
}
