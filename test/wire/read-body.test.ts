import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { type ReadBodyOptions, readBody, SenderGoneError } from '../../src/source/receiver/read-body.ts';
import { Refusal } from '../../src/source/receiver/refusal.ts';

const LONG = 600_000;

function reading(stream: PassThrough, options: Partial<ReadBodyOptions> = {}) {
  const chunks: string[] = [];
  const into = { push: (chunk: Buffer) => void chunks.push(chunk.toString()) };
  return { chunks, done: readBody(stream, into, { timeoutMillis: LONG, ...options }) };
}

it('a body is read to its end, and its stream stays open', async () => {
  const stream = new PassThrough({ autoDestroy: false });
  const { chunks, done } = reading(stream);
  stream.write('one');
  stream.end('two');
  await done;
  expect(chunks.join('')).toBe('onetwo');
  expect(stream.destroyed).toBe(false);
});

describe('the sender is gone', () => {
  it('where its stream has closed before it was read', async () => {
    const stream = new PassThrough();
    stream.destroy();
    await once(stream, 'close');
    await expect(reading(stream).done).rejects.toThrow(SenderGoneError);
  });

  it('where its stream closes amidst the body', async () => {
    const stream = new PassThrough();
    const { done } = reading(stream);
    stream.write('one');
    stream.destroy();
    await expect(done).rejects.toThrow(SenderGoneError);
  });

  it('where its stream fails', async () => {
    const stream = new PassThrough();
    const { done } = reading(stream);
    stream.destroy(new Error('reset'));
    await expect(done).rejects.toThrow(SenderGoneError);
  });

  it.each(['before', 'while'] as const)('where that is known %s the body is read', async (when) => {
    const gone = new AbortController();
    if (when === 'before') gone.abort();
    const { done } = reading(new PassThrough(), { signal: gone.signal });
    gone.abort();
    await expect(done).rejects.toThrow(SenderGoneError);
  });
});

describe('what was not read is left for whoever refuses', () => {
  it('where the time is over', async () => {
    const stream = new PassThrough();
    await expect(reading(stream, { timeoutMillis: 1 }).done).rejects.toMatchObject({ httpStatus: 408 });
    await expectLeft(stream);
  });

  it('where a chunk was too much', async () => {
    const stream = new PassThrough();
    const full = {
      push: () => {
        throw Refusal.tooLarge(1);
      },
    };
    const done = readBody(stream, full, { timeoutMillis: LONG });
    stream.write('one');
    await expect(done).rejects.toMatchObject({ httpStatus: 413 });
    await expectLeft(stream);
  });
});

async function expectLeft(stream: PassThrough): Promise<void> {
  stream.write('the rest');
  await new Promise(setImmediate);
  expect(stream.readableFlowing).toBe(false);
  expect(String(stream.read())).toBe('the rest');
}
