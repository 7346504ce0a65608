import { createHash } from 'node:crypto';
import type { Database, RootDatabase } from 'lmdb';
import { StoreError } from '../plan-store.ts';
import { lockAtExit } from './lock-at-exit.ts';
import { OpeningLock } from './opening-lock.ts';
import { OrderedTable } from './ordered-table.ts';

/**
 * The LMDB environment of one directory and its tables. Keys are hashes of names, because LMDB bounds their length;
 * the names themselves stand in the values.
 */
export interface LmdbEnvironment {
  readonly root: RootDatabase<string, string>;
  /** By agent: its name, revision, latest run. */
  readonly agents: Database<string, string>;
  /** By agent: the plan's JSON. */
  readonly plans: Database<string, string>;
  /** By agent and cohort key. */
  readonly evidence: Database<string, string>;
  readonly applied: OrderedTable;
  readonly runs: OrderedTable;
  /** By agent: when its groups changed last, as a number that grows over all agents; `version` holds the newest. */
  readonly changes: Database<string, string>;
  /** While anybody holds it, nothing may be written. */
  readonly openingLock: OpeningLock;
}

/**
 * @param path a directory that is there.
 * @throws StoreError `unavailable` where LMDB is not installed, Error where the directory cannot be used.
 */
export async function openLmdb(path: string): Promise<LmdbEnvironment> {
  const { open } = await importLmdb();
  const openingLock = new OpeningLock(path);
  const openRoot = () => open<string, string>({ path, noSubdir: false, maxDbs: 16, encoding: 'string' });
  for (;;) {
    const owner = await openingLock.acquire(OPEN_PATIENCE_MILLIS);
    if (owner === undefined) throw new Error('other processes open and close it without a pause');
    try {
      // Waits for whoever began to write before we had the lock, and may take that write back; the second time, when
      // nobody writes, LMDB finds it again.
      await openRoot().close();
      const environment = { ...tablesOf(openRoot()), openingLock };
      lockAtExit.add(openingLock);
      if (openingLock.isOwnedBy(owner)) return environment;
      lockAtExit.delete(openingLock);
      await environment.root.close();
    } finally {
      openingLock.release(owner);
    }
  }
}

export async function closeLmdb({ root, openingLock }: LmdbEnvironment): Promise<void> {
  // The directory may be gone. Whoever leaves the lock for longer is not opening the directory, but was killed.
  const owner = await openingLock.acquire(CLOSE_PATIENCE_MILLIS).catch(() => undefined);
  try {
    await root.close();
    lockAtExit.delete(openingLock);
  } finally {
    if (owner !== undefined) openingLock.release(owner);
  }
}

/** Longer than a lock is left to a process that was killed. */
const OPEN_PATIENCE_MILLIS = 10_000;
const CLOSE_PATIENCE_MILLIS = 1_000;

function tablesOf(root: RootDatabase<string, string>): Omit<LmdbEnvironment, 'openingLock'> {
  const table = (name: string) => root.openDB<string, string>({ name, encoding: 'string' });
  return {
    root,
    agents: table('agents'),
    plans: table('plans'),
    evidence: table('evidence'),
    applied: new OrderedTable(table('applied'), table('applied_order')),
    runs: new OrderedTable(table('runs'), table('runs_order')),
    changes: table('changes'),
  };
}

/** A key of fixed length for a name of any. */
export function keyOf(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 32);
}

/** LMDB is an optional dependency: where its binary is missing, the message names the other stores. */
async function importLmdb(): Promise<typeof import('lmdb')> {
  try {
    return await import('lmdb');
  } catch (error) {
    throw new StoreError(
      'unavailable',
      'The embedded store needs the package lmdb, which is not installed for this platform. Install it, or choose another store, for instance --store redis://127.0.0.1:6379',
      { cause: error },
    );
  }
}
