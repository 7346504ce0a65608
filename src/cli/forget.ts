import { type PlanStore, StoreError } from '../store/plan-store.ts';
import { assertKnown } from './known-agents.ts';
import type { Outputs } from './output.ts';
import { printable } from './printable.ts';
import { shownUrl } from './store-url.ts';
import { type StoreChoice, withExistingStore } from './with-store.ts';
import { counted } from './wording.ts';

/**
 * `spanplan forget <agent>`: deletes all that the store has of an agent, and says what that was.
 * @throws CliError where the agent is unknown, or the store fails.
 */
export function forget(agentId: string, options: StoreChoice, { out }: Outputs): Promise<void> {
  return withExistingStore(options, async (store) => {
    const plan = await planOf(store, agentId);
    const runs = (await store.runs(agentId)).length;
    if (!(await store.forget(agentId))) await assertKnown(store, agentId, options.store);
    out.line(
      `Forgot ${printable(agentId)}: ${plan} and ${counted(runs, 'run record')}, deleted from ${printable(shownUrl(options.store))}.`,
    );
  });
}

/** A plan that cannot be read is one more reason to forget it. */
async function planOf(store: PlanStore, agentId: string): Promise<string> {
  try {
    const stored = await store.load(agentId);
    if (stored === undefined) return 'no plan';
    return `a plan of ${counted(stored.plan.parallel_groups.length, 'group')}`;
  } catch (error) {
    if (error instanceof StoreError && error.code === 'corrupt_plan') return 'a plan that could not be read';
    throw error;
  }
}
