import { join } from 'node:path';
import type { RootDatabase, Transaction } from 'lmdb';

/** The files that a claim needs. */
export const CLAIM_FILES = ['owner.mdb', 'owner.mdb-lock'];

/**
 * A directory that belongs to one process at a time. The claim is an open read transaction in an LMDB file of its own:
 * the operating system ends it with the process, however that ends, so that no claim outlives its owner. Who comes
 * looks at the readers inside a write transaction, which LMDB gives to one process at a time, so that of two that
 * start together one gets it. Process ids alone would not do: in containers many processes have the same.
 */
export class DirectoryClaim {
  readonly #root: RootDatabase;
  readonly #held: Transaction;

  private constructor(root: RootDatabase, held: Transaction) {
    this.#root = root;
    this.#held = held;
  }

  /** @throws Error where another process has the directory, or a claim in this one. */
  static async take(path: string, { open }: typeof import('lmdb')): Promise<DirectoryClaim> {
    const file = { path: join(path, 'owner.mdb'), noSubdir: true, permissionsMode: 0o600, maxReaders: 16 };
    const root = open(file);
    try {
      const held = root.transactionSync(() => {
        root.readerCheck();
        const owner = readerIn(root.readerList());
        if (owner !== undefined) throw new Error(sentence(owner));
        // Nothing is ever written here, so that a transaction that never ends keeps no pages from use.
        return root.useReadTransaction();
      });
      return new DirectoryClaim(root, held);
    } catch (error) {
      await root.close();
      throw error;
    }
  }

  async release(): Promise<void> {
    this.#held.done();
    await this.#root.close();
  }
}

/** The process id in LMDB's table of readers: a heading, and one line each. */
function readerIn(table: string): string | undefined {
  return /^\s*(\d+)\s/m.exec(table)?.[1];
}

function sentence(owner: string): string {
  return `another process (${owner}) delivers what rests there; stop that one first, or give each a directory of its own`;
}
