import { createHash } from 'node:crypto';

/**
 * The Redis keys of one store.
 *
 * Shared with NeMo Relay, byte for byte:
 *
 *     <prefix>plan:<agent>                string  the plan as JSON
 *     <prefix>runs:<agent>:<run id>       string  a run record as JSON
 *     <prefix>runs_index:<agent>          list    run ids, oldest first
 *
 * Ours alone. They begin with `fanout_`, as no shared key does:
 *
 *     <prefix>fanout_meta:<agent>         hash    epoch, revision, writes; length of the plan as spanplan last wrote it,
 *                                                 SHA-1 of it without its run id, where that stands; the latest contributing run; compacted
 *     <prefix>fanout_evidence:<agent>     hash    cohort key → counts, times, group
 *     <prefix>fanout_applied:<agent>      hash    run id → revision, end, cohort keys
 *     <prefix>fanout_applied_at:<agent>   zset    run id by time of application, to bound the hash
 *     <prefix>fanout_runs:<agent>         zset    the run records that spanplan wrote, by time; only they are trimmed
 *     <prefix>fanout_turn:<agent>         string  the writer whose turn it is while several compete; gone in a moment
 *     <prefix>fanout_agents               set     agents that spanplan wrote, to bound their number
 *     <prefix>fanout_changes              channel `<store> <revision> <agent>`; the revision is empty after `forget`
 *
 * With hash tags every key of an agent has `{<first 16 hex digits of SHA-256 of the agent>}:` after the prefix, so
 * that Redis Cluster keeps them in one slot.
 */
export class RedisKeys {
  readonly agents: string;
  readonly changes: string;
  readonly #prefix: string;
  readonly #hashTags: boolean;

  /** @throws RangeError where the prefix would itself be taken for a hash tag. */
  constructor(prefix: string, hashTags: boolean) {
    if (hashTags && /[{}]/.test(prefix)) {
      throw new RangeError('keyPrefix must not hold a brace where hash tags are on');
    }
    this.#prefix = prefix;
    this.#hashTags = hashTags;
    this.agents = `${prefix}fanout_agents`;
    this.changes = `${prefix}fanout_changes`;
  }

  of(agentId: string): AgentKeys {
    const prefix = this.#hashTags ? `${this.#prefix}{${tagOf(agentId)}}:` : this.#prefix;
    return {
      plan: `${prefix}plan:${agentId}`,
      runsIndex: `${prefix}runs_index:${agentId}`,
      runPrefix: `${prefix}runs:${agentId}:`,
      meta: `${prefix}fanout_meta:${agentId}`,
      evidence: `${prefix}fanout_evidence:${agentId}`,
      applied: `${prefix}fanout_applied:${agentId}`,
      appliedAt: `${prefix}fanout_applied_at:${agentId}`,
      ours: `${prefix}fanout_runs:${agentId}`,
      turn: `${prefix}fanout_turn:${agentId}`,
    };
  }

  /** Glob patterns that match every key which shows that an agent has a plan or runs. */
  agentPatterns(): readonly string[] {
    const prefix = escapeGlob(this.#prefix) + (this.#hashTags ? `{${'[0-9a-f]'.repeat(16)}}:` : '');
    return [`${prefix}plan:*`, `${prefix}runs_index:*`];
  }

  /** The agent of a key that one of the patterns matched; undefined for a key that only looks like one. */
  agentOf(key: string): string | undefined {
    const rest = key.slice(this.#prefix.length + (this.#hashTags ? 19 : 0));
    for (const kind of ['plan:', 'runs_index:']) {
      if (!rest.startsWith(kind)) continue;
      const agentId = rest.slice(kind.length);
      const { plan, runsIndex } = this.of(agentId);
      if (key === plan || key === runsIndex) return agentId;
    }
    return undefined;
  }
}

export interface AgentKeys {
  readonly plan: string;
  readonly runsIndex: string;
  /** Followed by a run id it is the key of a run record. */
  readonly runPrefix: string;
  readonly meta: string;
  readonly evidence: string;
  readonly applied: string;
  readonly appliedAt: string;
  readonly ours: string;
  readonly turn: string;
}

/** In the order in which the scripts take them. */
export function scriptKeys(keys: AgentKeys): readonly string[] {
  const { plan, runsIndex, runPrefix, meta, evidence, applied, appliedAt, ours, turn } = keys;
  return [plan, runsIndex, runPrefix, meta, evidence, applied, appliedAt, ours, turn];
}

function tagOf(agentId: string): string {
  return createHash('sha256').update(agentId).digest('hex').slice(0, 16);
}

function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]]/g, '\\$&');
}
