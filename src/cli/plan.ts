import { type PlanStore, StoreError } from '../store/plan-store.ts';
import { assertKnown, howToFill } from './known-agents.ts';
import type { Output, Outputs } from './output.ts';
import { formatPlan } from './plan-table.ts';
import { printable, printableJson } from './printable.ts';
import { type StoreChoice, withExistingStore } from './with-store.ts';

export interface PlanOptions extends StoreChoice {
  readonly json?: boolean;
}

/**
 * `spanplan plan [agent]`: the plan of one agent, or of all.
 * @throws CliError where the agent is unknown, or the store fails.
 */
export function showPlan(agentId: string | undefined, options: PlanOptions, { out }: Outputs): Promise<void> {
  return withExistingStore(options, async (store) => {
    if (agentId === undefined) return showAll(store, options, out);
    const stored = await store.load(agentId);
    if (stored === undefined) await assertKnown(store, agentId, options.store);
    // A known agent of which no two tools ran together has no plan.
    if (options.json) out.line(printableJson(stored?.plan ?? null));
    else await writePlan(store, agentId, out);
  });
}

async function showAll(store: PlanStore, { json, store: url }: PlanOptions, out: Output): Promise<void> {
  const agents = await store.agents();
  const plans: [string, unknown][] = [];
  let failure: StoreError | undefined;
  if (agents.length === 0 && !json) out.line(howToFill(url));
  for (const [at, agentId] of agents.entries()) {
    try {
      if (json) plans.push([agentId, (await store.load(agentId))?.plan]);
      else {
        if (at > 0) out.line();
        await writePlan(store, agentId, out);
      }
    } catch (error) {
      // One broken plan does not hide the others.
      if (!(error instanceof StoreError) || error.code !== 'corrupt_plan') throw error;
      failure = error;
    }
  }
  if (json) out.line(printableJson(Object.fromEntries(plans)));
  if (failure !== undefined) throw failure;
}

async function writePlan(store: PlanStore, agentId: string, out: Output): Promise<void> {
  const stored = await store.load(agentId);
  if (stored === undefined) {
    out.line(out.style.bold(printable(agentId)));
    out.line(out.style.dim('  has no plan: no two of its tools were seen running at the same time'));
    return;
  }
  const support = await store.support(agentId);
  for (const line of formatPlan(agentId, stored.plan, support, out)) out.line(line);
}
