import { hexDigest } from '../support/digest.ts';
import { memoised } from './memo.ts';
import { compareUtf8 } from './utf8.ts';

/** Tool names that were running at one instant: a multiset, sorted by UTF-8 bytes. */
export interface Cohort {
  /** 32 hex digits that stand for exactly this multiset, in every plan and store. */
  readonly key: string;
  readonly names: readonly string[];
}

/** Makes a cohort of names in any order. */
export function cohortOf(names: readonly string[]): Cohort {
  const sorted = [...names].sort(compareUtf8);
  return { key: cohortKey(sorted), names: sorted };
}

/** The key of names that are sorted already: half a SHA-256 of their JSON array, which no other multiset shares. */
export function cohortKey(sortedNames: readonly string[]): string {
  const json = JSON.stringify(sortedNames);
  return json.length <= MAX_MEMOISED ? keyOfShort(json) : keyOf(json);
}

function keyOf(json: string): string {
  return hexDigest('sha256', json).slice(0, 32);
}

/** Long cohorts are rare, and remembering them would cost more than hashing them. */
const MAX_MEMOISED = 1_024;
const keyOfShort = memoised(4_096, keyOf);

/** Whether every name of `part` stands in `whole` at least as often. Both sorted by UTF-8 bytes. */
export function isContained(part: readonly string[], whole: readonly string[]): boolean {
  if (part.length > whole.length) return false;
  let at = 0;
  for (const name of part) {
    while (at < whole.length && whole[at] !== name) at++;
    if (at === whole.length) return false;
    at++;
  }
  return true;
}
