import type { RunRecord } from '../../model/run-record.ts';
import { parseRunRecord } from '../../model/run-record-json.ts';
import { compareUtf8 } from '../../model/utf8.ts';
import { parseEvidence } from '../agent-codec.ts';
import { parsePlan } from '../plan-json.ts';
import type { GroupSupport, StoredPlan } from '../plan-store.ts';
import { supportOf } from '../support-of.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisConnection } from './redis-connection.ts';

/** Reads what Redis has of agents. */
export class AgentReader {
  readonly #connection: RedisConnection;
  readonly #keys: RedisKeys;

  constructor(connection: RedisConnection, keys: RedisKeys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  async load(agentId: string): Promise<StoredPlan | undefined> {
    const keys = this.#keys.of(agentId);
    // The revision first: a reader that gets an old one with a new plan looks again, the other way round it would not.
    const [meta, json] = await Promise.all([
      this.#connection.command('hmget', [keys.meta, 'revision']),
      this.#connection.command('get', [keys.plan]),
    ]);
    if (typeof json !== 'string') return undefined;
    const [revision] = meta as [string | null];
    return { plan: parsePlan(json, keys.plan), revision: Number(revision ?? 0) };
  }

  async agents(): Promise<readonly string[]> {
    const found = new Set<string>();
    await this.#connection.onEachMaster(async (command) => {
      for (const pattern of this.#keys.agentPatterns()) {
        let cursor = '0';
        do {
          const reply = await command('scan', [cursor, 'match', pattern, 'count', SCAN_COUNT]);
          const [next, keys] = reply as [string, string[]];
          for (const key of keys) {
            const agentId = this.#keys.agentOf(key);
            if (agentId !== undefined) found.add(agentId);
          }
          cursor = String(next);
        } while (cursor !== '0');
      }
    });
    return [...found].sort(compareUtf8);
  }

  async runs(agentId: string, limit = Number.POSITIVE_INFINITY): Promise<readonly RunRecord[]> {
    const { runsIndex, runPrefix } = this.#keys.of(agentId);
    const index = (await this.#connection.command('lrange', [runsIndex, 0, -1])) as string[];
    const ids = [...new Set(index.reverse())];
    const newestFirst: RunRecord[] = [];
    for (let i = 0; i < ids.length && newestFirst.length < limit; i += MGET_COUNT) {
      const keys = ids.slice(i, i + MGET_COUNT).map((id) => runPrefix + id);
      for (const json of (await this.#connection.command('mget', keys)) as unknown[]) {
        const run = readRun(json, agentId);
        if (run !== undefined && newestFirst.length < limit) newestFirst.push(run);
      }
    }
    return newestFirst.reverse();
  }

  async support(agentId: string): Promise<readonly GroupSupport[]> {
    const values = (await this.#connection.command('hvals', [this.#keys.of(agentId).evidence])) as string[];
    return supportOf(values.map(parseEvidence).filter((evidence) => evidence !== undefined));
  }
}

const SCAN_COUNT = 1_000;
const MGET_COUNT = 200;

/** Records of others may have any content; what cannot be read, or is of another agent, is left out. */
function readRun(json: unknown, agentId: string): RunRecord | undefined {
  if (typeof json !== 'string') return undefined;
  try {
    const run = parseRunRecord(JSON.parse(json));
    return run.agentId === agentId ? run : undefined;
  } catch {
    return undefined;
  }
}
