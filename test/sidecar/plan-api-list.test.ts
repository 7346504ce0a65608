import { expect, onTestFinished, test } from 'vitest';
import { PlanApi } from '../../src/sidecar/plan-api/plan-api.ts';
import type { PlanList } from '../../src/sidecar/plan-api/plan-api-schemas.ts';
import type { Tenant } from '../../src/sidecar/tenants.ts';
import { MemoryPlanStore } from '../../src/store/memory-plan-store.ts';
import { type GroupSupport, StoreError } from '../../src/store/plan-store.ts';

/** A store that has these agents, and whose plans cannot be read for the reasons given. */
class Agents extends MemoryPlanStore {
  readonly #ids: readonly string[];
  readonly #broken: Readonly<Record<string, Error>>;
  /** Plans that are being read, and the most there were at a time. */
  reading = 0;
  most = 0;

  constructor(ids: readonly string[], broken: Readonly<Record<string, Error>> = {}) {
    super();
    this.#ids = ids;
    this.#broken = broken;
  }

  override async agents(): Promise<readonly string[]> {
    return this.#ids;
  }

  override async load(agentId: string): ReturnType<MemoryPlanStore['load']> {
    this.most = Math.max(this.most, ++this.reading);
    await new Promise(setImmediate);
    this.reading--;
    const error = this.#broken[agentId];
    if (error !== undefined) throw error;
    return undefined;
  }
}

async function list(store: Agents, query = ''): Promise<PlanList> {
  const api = new PlanApi(1);
  try {
    const { body } = await api.list({ store } as Partial<Tenant> as Tenant, new URLSearchParams(query));
    return JSON.parse(body) as PlanList;
  } finally {
    api.close();
  }
}

const idsOf = ({ agents }: PlanList) => agents.map(({ agent_id }) => agent_id);

test('pages follow each other in the order of the store, which is that of UTF-8', async () => {
  // In UTF-16, which JavaScript compares by, the last two stand the other way round.
  const ids = ['a', 'é', '\uff5e', '\u{1f600}'];
  const seen: string[] = [];
  let after = '';
  for (;;) {
    const page: PlanList = await list(new Agents(ids), `limit=1&after=${encodeURIComponent(after)}`);
    seen.push(...idsOf(page));
    if (page.next === undefined) break;
    after = page.next;
  }
  expect(seen).toEqual(ids);
});

test('a plan that cannot be read hides no other', async () => {
  const store = new Agents(['a', 'b', 'c'], { b: new StoreError('corrupt_plan', 'TOP SECRET') });
  const { agents } = await list(store);
  expect(agents).toEqual([
    { agent_id: 'a', groups: 0, tools: 0 },
    { agent_id: 'b', groups: 0, tools: 0, error: 'corrupt_plan' },
    { agent_id: 'c', groups: 0, tools: 0 },
  ]);
});

test.each([
  ['a store that is away', new StoreError('unavailable', 'away')],
  ['a fault of ours', new TypeError('a fault')],
])('%s is no broken plan', async (_, error) => {
  await expect(list(new Agents(['a'], { a: error }))).rejects.toBe(error);
});

test('of a long list no more than sixteen plans are read at a time', async () => {
  const ids = Array.from({ length: 100 }, (_, i) => `agent ${String(i).padStart(3, '0')}`);
  const store = new Agents(ids);
  expect(idsOf(await list(store))).toEqual(ids);
  expect(store.most).toBe(16);
});

test('an agent was last seen when the latest of its groups was', async () => {
  const support = ([10, 30, 20] as const).map((seconds): GroupSupport => {
    const group = { groupId: `g${seconds}`, toolNames: ['x', 'y'], runs: 1 };
    return { ...group, firstSeen: [1, 0], lastSeen: [seconds, 0] };
  });
  const store = new Agents(['a']);
  store.support = async () => support;
  expect((await list(store)).agents).toMatchObject([{ last_seen: '1970-01-01T00:00:30Z' }]);
});

test('whoever asks for an agent that there is not is told a hundred names at most', async () => {
  const ids = Array.from({ length: 150 }, (_, i) => `agent ${i}`);
  const api = new PlanApi(1);
  onTestFinished(() => api.close());
  const asked = api.runs({ store: new Agents(ids) } as Partial<Tenant> as Tenant, 'x', new URLSearchParams());
  await expect(asked).rejects.toMatchObject({
    status: 404,
    extensions: { known_agents: ids.slice(0, 100) },
  });
});
