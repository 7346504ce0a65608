import { createHash } from 'node:crypto';
import type { Database, RootDatabase } from 'lmdb';
import { makeDirectory } from '../../support/make-directory.ts';
import { StoreError } from '../plan-store.ts';
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
}

/** @throws StoreError `unavailable` where LMDB is not installed or the directory cannot be used. */
export async function openLmdb(path: string): Promise<LmdbEnvironment> {
  const { open } = await importLmdb();
  try {
    makeDirectory(path);
    const root = open<string, string>({ path, noSubdir: false, maxDbs: 16, encoding: 'string' });
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
  } catch (error) {
    throw new StoreError('unavailable', `The store at ${path} cannot be opened: ${messageOf(error)}`, {
      cause: error,
    });
  }
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

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
