import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { RootDatabase } from 'lmdb';
import type { OtlpRequest } from '../../source/receiver/otlp-sink.ts';
import { errorCode } from '../../support/error-code.ts';
import { makeDirectory } from '../../support/make-directory.ts';
import { tell } from '../../support/tell.ts';
import { messageOf } from '../../support/told-error.ts';
import { CLAIM_FILES, DirectoryClaim } from './directory-claim.ts';

/** A request that rests on disk. */
export interface DurableEntry {
  readonly key: string;
  /** As given when it was appended. */
  readonly bytes: number;
}

/**
 * Requests that rest in a directory until they are delivered. This is the one place where spanplan keeps content on
 * disk, so its files are for their owner only, and an entry is deleted as soon as it is of no more use.
 *
 * An entry counts from when `append` resolves: it then survives the process, and the machine. One that was delivered
 * just before the process was killed may be found again: what is kept here arrives at least once.
 *
 * The directory belongs to one process at a time: two would deliver the same entries, and neither those that the
 * other leaves behind.
 */
export class DurableQueue {
  readonly #claim: DirectoryClaim;
  readonly #root: RootDatabase<Buffer, string>;
  /** Entries that are of no more use, though deleting them failed; a full disk may refuse even that. */
  readonly #undeleted = new Set<string>();
  readonly #writes = new Set<Promise<unknown>>();
  #appended = 0;
  #closed = false;

  private constructor(claim: DirectoryClaim, root: RootDatabase<Buffer, string>) {
    this.#claim = claim;
    this.#root = root;
  }

  /** @throws Error where LMDB is not installed, another process has the directory, or it cannot be used. */
  static async open(path: string): Promise<DurableQueue> {
    const lmdb = await importLmdb();
    let claim: DirectoryClaim | undefined;
    try {
      makeDirectory(path);
      // An older queue may have been copied here with other permissions.
      for (const file of FILES) if (existsSync(join(path, file))) chmodSync(join(path, file), 0o600);
      const options = { path, noSubdir: false, encoding: 'binary', permissionsMode: 0o600 } as const;
      claim = await DirectoryClaim.take(path, lmdb);
      return new DurableQueue(claim, lmdb.open<Buffer, string>(options));
    } catch (error) {
      await claim?.release();
      const reason = messageOf(error);
      throw new Error(`the queue in ${path} (sending_queue.storage) cannot be opened: ${reason}`, {
        cause: error,
      });
    }
  }

  /** All that rests here, oldest first. */
  *entries(): Iterable<DurableEntry> {
    for (const key of this.#root.getKeys()) {
      const bytes = Number(/-(\d+)$/.exec(key)?.[1]);
      yield { key, bytes: Number.isSafeInteger(bytes) ? bytes : 0 };
    }
  }

  /**
   * Resolves once the request rests on disk. Requests appended at about the same time are written together.
   * @param bytes what it counts for; `entries` gives it back
   * @throws Error where it cannot be written
   */
  async append(request: OtlpRequest, bytes: number): Promise<DurableEntry> {
    if (this.#closed) throw new Error('the queue is closed');
    const key = this.#nextKey(bytes);
    await this.#track(this.#write(key, encode(request)));
    return { key, bytes };
  }

  /** An entry is gone where somebody else deleted it. */
  read(key: string): OtlpRequest | 'gone' | 'damaged' {
    const bytes = this.#closed ? undefined : this.#root.get(key);
    return bytes === undefined ? 'gone' : (decode(bytes) ?? 'damaged');
  }

  /** Deletes an entry, soon. */
  remove(key: string): void {
    if (this.#closed) return;
    this.#undeleted.add(key);
    void this.#track(this.#delete([...this.#undeleted]));
  }

  /** Waits for what is being written. What still rests here stays. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled(this.#writes);
    await this.#root.flushed;
    await this.#root.close();
    await this.#claim.release();
  }

  /** So that closing can wait for it. */
  async #track(write: Promise<void>): Promise<void> {
    this.#writes.add(write);
    try {
      await write;
    } finally {
      this.#writes.delete(write);
    }
  }

  async #write(key: string, value: Buffer): Promise<void> {
    const isWritten = await this.#root.put(key, value);
    if (!isWritten) throw new Error('the queue did not take an entry');
    // Until here it may be in the memory of the operating system only.
    await this.#root.flushed;
  }

  async #delete(keys: readonly string[]): Promise<void> {
    try {
      await Promise.all(keys.map((key) => this.#root.remove(key)));
      for (const key of keys) this.#undeleted.delete(key);
    } catch (error) {
      const code = errorCode(error) ?? 'unknown error';
      tell.warn(`spanplan: a delivered request could not be deleted from the queue (${code}); trying again`);
    }
  }

  /** In the order of time, and different in every process. The size stands in it to be known without reading. */
  #nextKey(bytes: number): string {
    const time = String(Date.now()).padStart(15, '0');
    const count = String(this.#appended++).padStart(12, '0');
    return `${time}-${count}-${process.pid}-${bytes}`;
  }
}

const FILES = ['data.mdb', 'lock.mdb', ...CLAIM_FILES];

/** The length of the head, the head as JSON, the body as it is. */
function encode({ body, ...head }: OtlpRequest): Buffer {
  const json = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  return Buffer.concat([length, json, body]);
}

function decode(bytes: Buffer): OtlpRequest | undefined {
  try {
    const end = 4 + bytes.readUInt32LE(0);
    const head: unknown = JSON.parse(bytes.toString('utf8', 4, end));
    return isHead(head) ? { ...head, body: bytes.subarray(end) } : undefined;
  } catch {
    return undefined;
  }
}

/** What is undefined is not written, and reads as absent. */
type Head = Omit<OtlpRequest, 'body'>;

function isHead(value: unknown): value is Head {
  if (typeof value !== 'object' || value === null) return false;
  const { signal, transport, contentType, headers } = value as Partial<Head>;
  return (
    (signal === 'traces' || signal === 'metrics' || signal === 'logs') &&
    (transport === 'http' || transport === 'grpc') &&
    (contentType === 'application/x-protobuf' || contentType === 'application/json') &&
    typeof headers === 'object' &&
    headers !== null
  );
}

/** LMDB is an optional dependency: where its binary is missing, the message says what to do without it. */
async function importLmdb(): Promise<typeof import('lmdb')> {
  try {
    return await import('lmdb');
  } catch (error) {
    throw new Error(
      'a durable queue needs the package lmdb, which is not installed for this platform; install it, or leave out sending_queue.storage',
      { cause: error },
    );
  }
}
