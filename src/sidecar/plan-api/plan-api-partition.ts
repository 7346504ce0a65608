import type { ExecutionPlan } from '../../model/execution-plan.ts';
import { PlanIndex } from '../../plan-index.ts';
import type { Partition, PartitionRequest } from './plan-api-schemas.ts';

type Batch = Partition['batches'][number];
type NamedCall = Batch['calls'][number];

/** Cuts calls into batches that may each run at once, in their order, and says of each why it is one. */
export function partitionWithReasons(
  agentId: string,
  plan: ExecutionPlan | undefined,
  calls: PartitionRequest['calls'],
): Partition {
  const named = calls.map((call, index) => ({ index, name: typeof call === 'string' ? call : call.name }));
  const index = plan && indexOf(plan);
  const batches = index?.partition(named, ({ name }) => name) ?? named.map((call) => [call]);
  return {
    agent_id: agentId,
    batches: batches.map((batch) => ({ calls: [...batch], reason: reasonOf(batch, index) })),
  };
}

/** A plan's index is made once, however often it is asked. */
const INDEXES = new WeakMap<ExecutionPlan, PlanIndex>();

function indexOf(plan: ExecutionPlan): PlanIndex {
  const known = INDEXES.get(plan);
  if (known !== undefined) return known;
  const index = new PlanIndex(plan);
  INDEXES.set(plan, index);
  return index;
}

function reasonOf(batch: readonly NamedCall[], index: PlanIndex | undefined): Batch['reason'] {
  if (index === undefined)
    return { code: 'no_plan', message: 'This agent has no plan; every call runs alone.' };
  const [first] = batch;
  const groups = first === undefined ? [] : index.groupsFor(first.name);
  if (groups.length === 0) {
    return { code: 'unknown_tool', message: 'This tool was never seen running at the same time as another.' };
  }
  if (batch.length === 1) {
    return {
      code: 'not_seen_together',
      message: 'This tool was not seen running at the same time as its neighbours in the list.',
    };
  }
  const names = batch.map(({ name }) => name);
  const group = groups.find(({ tool_names }) => holds(tool_names, names));
  return {
    code: 'seen_together',
    message: 'These tools were seen running at the same time.',
    ...(group && { group_id: group.group_id }),
  };
}

/** Whether the multiset has all of the names, each as often. */
function holds(whole: readonly string[], names: readonly string[]): boolean {
  const left = new Map<string, number>();
  for (const name of whole) left.set(name, (left.get(name) ?? 0) + 1);
  return names.every((name) => {
    const count = left.get(name) ?? 0;
    left.set(name, count - 1);
    return count > 0;
  });
}
