import type { SpanChain } from './span-chain.ts';
import { HAS_PARENT, NO_SLOT, OPEN, REMOTE } from './span-chunk.ts';
import type { SpanPool } from './span-pool.ts';

/** What a trace over the wire has and lacks. */
export interface Completeness {
  /** A root without a parent was seen. */
  readonly hasRoot: boolean;
  /** A root with a parent in another process was seen. */
  readonly hasRemoteRoot: boolean;
  /** A parent that was not seen: none, only ones in other processes, or one of the same process. */
  readonly missing: 'none' | 'remote' | 'local';
}

/** Of the spans that have ended. */
export function completenessOf(pool: SpanPool, chain: SpanChain): Completeness {
  let hasRoot = false;
  let hasRemoteRoot = false;
  let missing: Completeness['missing'] = 'none';
  for (let slot = chain.newest; slot !== NO_SLOT; slot = pool.next(slot)) {
    if (pool.has(slot, OPEN)) continue;
    if (!pool.has(slot, HAS_PARENT)) {
      hasRoot = true;
      continue;
    }
    const isRemote = pool.has(slot, REMOTE);
    if (isRemote) hasRemoteRoot = true;
    if (missing === 'local') continue;
    const parent = chain.find(pool.parentHigh(slot), pool.parentLow(slot));
    const isSeen = parent !== NO_SLOT && !pool.has(parent, OPEN);
    if (!isSeen) missing = isRemote ? 'remote' : 'local';
  }
  return { hasRoot, hasRemoteRoot, missing };
}
