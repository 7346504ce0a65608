import type { PlanStore } from '../store/plan-store.ts';
import { CliError } from './cli-error.ts';
import { printable } from './printable.ts';
import { DEFAULT_STORE_URL, shownUrl } from './store-url.ts';
import { listed } from './wording.ts';

/**
 * Makes sure that the store knows the agent.
 * @throws CliError that names the agents it knows, or says how to fill an empty store.
 */
export async function assertKnown(store: PlanStore, agentId: string, url: string): Promise<void> {
  const known = await store.agents();
  if (known.includes(agentId)) return;
  const missing = `There is no agent ${printable(JSON.stringify(agentId))} in ${printable(shownUrl(url))}.`;
  const way = known.length === 0 ? howToFill(url) : `It knows ${listed(known)}.`;
  throw new CliError(`${missing} ${way}`);
}

/** What to do about a store without plans. */
export function howToFill(url: string): string {
  const option = url === DEFAULT_STORE_URL ? '' : ` --store ${printable(shownUrl(url))}`;
  return (
    `The store ${printable(shownUrl(url))} is empty. Fill it with spans that your agent has emitted (spanplan learn traces.json${option}), ` +
    `let agents send them as they run (spanplan serve${option}), or register FanoutSpanProcessor in the agent itself.`
  );
}
