import type { Verdict } from './verdict.ts';

const IS_SHARED: unique symbol = Symbol('is shared');

/** The same verdict for many spans, so that it takes no memory for each. Nobody who reads or copies it sees the mark. */
export function sharedVerdict(verdict: Verdict): Verdict {
  return Object.defineProperty({ ...verdict }, IS_SHARED, { value: true });
}

export function isShared(verdict: Verdict & { readonly [IS_SHARED]?: true }): boolean {
  return verdict[IS_SHARED] === true;
}
