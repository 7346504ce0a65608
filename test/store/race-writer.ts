/**
 * One of several processes that add groups to one agent at the same time; started by redis-races.test.ts.
 * Arguments: socket, key prefix, writer, number of groups, `store` or `get-merge-set`.
 */
import { Redis } from 'ioredis';
import { type RunChange, StoreError } from '../../src/store/plan-store.ts';
import { RedisPlanStore } from '../../src/store/redis-plan-store.ts';
import { change } from './changes.ts';

const [socket = '', keyPrefix = '', writer = '', count = '', how = ''] = process.argv.slice(2);
const redis = new Redis(socket);
const store = new RedisPlanStore({
  url: `unix:${socket}`,
  keyPrefix,
  maxGroups: 10_000,
  maxPlanBytes: 64 * 1_048_576,
});
/** As many runs as one write of a busy queue may carry. */
const BATCH = 8;
const planKey = `${keyPrefix}plan:planner`;

await store.load('planner');
await redis.incr(`${keyPrefix}ready`);
while ((await redis.get(`${keyPrefix}go`)) === null) await new Promise((resolve) => setTimeout(resolve, 5));

let conflicts = 0;
for (let i = 0; i < Number(count); i += BATCH) {
  const numbers = Array.from({ length: BATCH }, (_, j) => i + j);
  if (how === 'store') {
    const changes = numbers.map((n) => change(`w${writer}-r${n}`, [[`w${writer}`, `tool${n}`]], { at: n }));
    conflicts += await conflictsOf(changes);
  } else {
    const plan = JSON.parse((await redis.get(planKey)) ?? '{"parallel_groups":[]}');
    for (const n of numbers) plan.parallel_groups.push({ group_id: `g${writer}-${n}`, tool_names: [] });
    await redis.set(planKey, JSON.stringify(plan));
  }
}
console.log(JSON.stringify({ conflicts }));
await store.close();
redis.disconnect();

/** Writes as the queue does: what others kept from being written for too long is tried again. */
async function conflictsOf(changes: readonly RunChange[]): Promise<number> {
  for (let refused = 0; ; refused++) {
    try {
      return refused + (await store.apply('planner', changes)).conflicts;
    } catch (error) {
      if (!(error instanceof StoreError && error.code === 'conflict')) throw error;
    }
  }
}
