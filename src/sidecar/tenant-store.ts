import type { StoreLimits } from '../store/limits.ts';
import type { SidecarConfig, StoreLimitsConfig } from './config/config-schema.ts';

/** Where the plans of one tenant are: which store, and what makes it that tenant's alone. */
export interface TenantStore {
  readonly url: string;
  readonly keyPrefix?: string;
  readonly hashTags?: boolean;
  readonly limits: StoreLimits;
}

/**
 * The store of a tenant; undefined stands for those who have none. In Redis a tenant's keys begin with
 * `<prefix>tenant:<percent-encoded name>:`, on disk it has a directory of its own inside the first one.
 */
export function tenantStore(
  { exporters }: Pick<SidecarConfig, 'exporters'>,
  tenant: string | undefined,
): TenantStore {
  const { redis, lmdb, memory } = exporters;
  if (redis !== undefined) {
    const prefix = redis.key_prefix;
    return {
      url: redis.endpoint,
      keyPrefix: tenant === undefined ? prefix : `${prefix}tenant:${encodeKeyPart(tenant)}:`,
      hashTags: redis.hash_tags,
      limits: limitsOf(redis),
    };
  }
  if (lmdb !== undefined) {
    const path = tenant === undefined ? lmdb.path : `${lmdb.path}/tenant-${encodeFileName(tenant)}`;
    return { url: `lmdb:${path}`, limits: limitsOf(lmdb) };
  }
  if (memory === undefined) throw new TypeError('a checked configuration names a place for plans');
  return { url: 'memory:', limits: limitsOf(memory) };
}

/** Percent-encodes all that means something in keys, slots or patterns of Redis. */
function encodeKeyPart(name: string): string {
  return encodeURIComponent(name).replace(/[!'()*]/g, percent);
}

/** Capitals too, as some file systems do not tell them from small letters. */
function encodeFileName(name: string): string {
  return encodeURIComponent(name).replace(/%[0-9A-F]{2}|[^a-z0-9_-]/g, (text) =>
    text.startsWith('%') ? text : percent(text),
  );
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

function limitsOf(config: StoreLimitsConfig): StoreLimits {
  return {
    maxGroups: config.max_groups,
    maxPlanBytes: config.max_plan_size,
    maxAgents: config.max_agents,
    maxRunsPerAgent: config.max_runs_per_agent,
    runTtlSeconds: Math.ceil(config.run_ttl / 1_000),
    appliedRunTtlSeconds: Math.ceil(config.applied_run_ttl / 1_000),
    maxAppliedRuns: config.max_applied_runs,
  };
}
