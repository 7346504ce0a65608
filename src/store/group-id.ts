import { hexDigest } from '../support/digest.ts';

const PREFIX = 'fanout:sha256:';
/** The shared format cuts `sha256:` and its hex to 12 characters, which leaves five digits. */
const FEWEST_DIGITS = 5;

/** What a plan's other groups have taken already. */
export interface TakenIds {
  /** Whether another group of the plan has this id. */
  hasId(groupId: string): boolean;
  /** Whether the names of another group, joined by `|`, give this text (names may themselves hold a `|`). */
  hasJoined(joined: string): boolean;
}

/**
 * The id of a group of `names` (sorted): the one that nemo-flow-adaptive gives it, unless another group of the plan
 * has that id. Then digits are added until it is free, as git does with short hashes, because five of them collide
 * in one of a thousand plans of 45 groups.
 */
export function groupIdOf(names: readonly string[], taken: TakenIds): string {
  const joined = names.join('|');
  const hashed = taken.hasJoined(joined) ? JSON.stringify(names) : joined;
  const hex = hexDigest('sha256', hashed);
  for (let digits = FEWEST_DIGITS; digits < hex.length; digits++) {
    const id = PREFIX + hex.slice(0, digits);
    if (!taken.hasId(id)) return id;
  }
  return PREFIX + hex;
}
