import type { StoreError } from '../store/plan-store.ts';
import { printable } from './printable.ts';
import { shownUrl } from './store-url.ts';

/** What to say of a store that failed: what happened, where, and what to do. Holds no password. */
export function storeFailure(error: StoreError, url: string): string {
  const message = printable(error.message).replace(/\.?$/, '.');
  const place = printable(shownUrl(url));
  return `${message} ${ADVICE[error.code].replace('STORE', place)}`;
}

const ADVICE: Readonly<Record<StoreError['code'], string>> = {
  unavailable: 'Check that STORE can be used, or give another one with --store; then run the command again.',
  corrupt_plan:
    'Nothing was written there. Repair that plan in STORE, or delete it with spanplan forget AGENT.',
  agent_limit: 'Forget agents that nobody needs (spanplan forget AGENT), then run the command again.',
  conflict: 'Others write to STORE all the time; run the command again.',
  closed: 'Run the command again.',
};
