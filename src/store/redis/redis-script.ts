import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { StoreError } from '../plan-store.ts';
import type { RedisConnection } from './redis-connection.ts';

/** A Lua script beside this file; its name ends in the number of keys. Read when it is first run. */
export class RedisScript {
  readonly #file: string;
  readonly #keyCount: number;
  #loaded: { readonly lua: string; readonly sha1: string } | undefined;

  constructor(file: string) {
    this.#file = file;
    this.#keyCount = Number(/-(\d+)\.lua$/.exec(file)?.[1]);
  }

  /** Sends the script's hash, and its text only where the server does not know it (any more). */
  async run(
    connection: RedisConnection,
    keys: readonly string[],
    args: readonly (string | Buffer)[],
  ): Promise<unknown> {
    if (keys.length !== this.#keyCount) throw new RangeError(`${this.#file} takes ${this.#keyCount} keys`);
    this.#loaded ??= load(this.#file);
    const { lua, sha1 } = this.#loaded;
    const rest = [this.#keyCount, ...keys, ...args];
    try {
      return await connection.command('evalsha', [sha1, ...rest]);
    } catch (error) {
      if (!(error instanceof StoreError && error.message.includes('NOSCRIPT'))) throw error;
      return connection.command('eval', [lua, ...rest]);
    }
  }
}

function load(file: string): { readonly lua: string; readonly sha1: string } {
  const lua = readFileSync(new URL(`./${file}`, import.meta.url), 'utf8');
  return { lua, sha1: createHash('sha1').update(lua).digest('hex') };
}
