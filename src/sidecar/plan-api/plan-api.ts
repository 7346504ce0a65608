import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ExecutionPlan } from '../../model/execution-plan.ts';
import { formatRunRecord } from '../../model/run-record-json.ts';
import { formatTime, laterTime } from '../../model/time.ts';
import { compareUtf8 } from '../../model/utf8.ts';
import { StoreError } from '../../store/plan-store.ts';
import type { Tenant } from '../tenants.ts';
import { type Answer, jsonAnswer, Problem } from './plan-api-answer.ts';
import { readJson } from './plan-api-body.ts';
import { PlanEvents } from './plan-api-events.ts';
import { maximalPlan } from './plan-api-maximal.ts';
import { partitionWithReasons } from './plan-api-partition.ts';
import { type AgentSummary, type GroupList, type PlanList, schemas } from './plan-api-schemas.ts';

/** Answers questions about the plans of whichever tenant asks. */
export class PlanApi {
  readonly #events: PlanEvents;

  /** @param maxListeners of one tenant. */
  constructor(maxListeners: number) {
    this.#events = new PlanEvents(maxListeners);
  }

  get listeners(): number {
    return this.#events.size;
  }

  /** `GET /v1/plans`: the agents in order of their names, in pages. */
  async list({ store }: Tenant, query: URLSearchParams): Promise<Answer> {
    const limit = countOf(query, 'limit', 100, 1_000);
    const after = query.get('after');
    const all = await store.agents();
    const rest = after === null ? all : all.filter((agentId) => compareUtf8(agentId, after) > 0);
    const page = rest.slice(0, limit);
    const agents: AgentSummary[] = [];
    for (let at = 0; at < page.length; at += PARALLEL_READS) {
      const some = page.slice(at, at + PARALLEL_READS).map((agentId) => summaryOf(store, agentId));
      agents.push(...(await Promise.all(some)));
    }
    const next = rest.length > limit ? page.at(-1) : undefined;
    const list: PlanList = { agents, total: all.length, ...(next !== undefined && { next }) };
    return jsonAnswer(list);
  }

  /** `GET /v1/plans/{agent}`: the plan itself. */
  async plan(
    tenant: Tenant,
    agentId: string,
    query: URLSearchParams,
    request: IncomingMessage,
  ): Promise<Answer> {
    const isMaximal = flagOf(query, 'maximal');
    const plan = await tenant.reader.get(agentId);
    if (plan === undefined) throw await noPlan(tenant, agentId);
    return cachedAnswer(isMaximal ? maximalPlan(plan) : plan, tenant, request);
  }

  /** `GET /v1/plans/{agent}/groups`: how much evidence there is of each. */
  async groups(tenant: Tenant, agentId: string): Promise<Answer> {
    const plan = await tenant.reader.get(agentId);
    if (plan === undefined) throw await noPlan(tenant, agentId);
    const support = await tenant.store.support(agentId);
    const known = new Map(support.map((group) => [group.groupId, group]));
    const groups = plan.parallel_groups.map(({ group_id, tool_names }) => {
      const { runs, firstSeen, lastSeen } = known.get(group_id) ?? {};
      return {
        group_id,
        tool_names: [...tool_names],
        ...(runs !== undefined && { runs }),
        ...(firstSeen !== undefined && { first_seen: formatTime(firstSeen) }),
        ...(lastSeen !== undefined && { last_seen: formatTime(lastSeen) }),
      };
    });
    const list: GroupList = { agent_id: agentId, groups };
    return jsonAnswer(list);
  }

  /** `GET /v1/plans/{agent}/runs`: the runs that are kept, oldest first. */
  async runs(tenant: Tenant, agentId: string, query: URLSearchParams): Promise<Answer> {
    const runs = await tenant.store.runs(agentId, countOf(query, 'limit', 100, 1_000));
    if (runs.length === 0) await assertKnown(tenant, agentId);
    return jsonAnswer({ agent_id: agentId, runs: runs.map(formatRunRecord) });
  }

  /** `POST /v1/plans/{agent}/partition`: calls in, batches with reasons out. Who is not known yet gets each call alone. */
  async partition(tenant: Tenant, agentId: string, request: IncomingMessage): Promise<Answer> {
    const body = schemas.partitionRequest.safeParse(await readJson(request, MAX_BODY_BYTES));
    if (!body.success) {
      throw new Problem(
        400,
        'Expected {"calls": […]} with at most 1,000 names of tools, or objects with a name.',
      );
    }
    return jsonAnswer(partitionWithReasons(agentId, await tenant.reader.get(agentId), body.data.calls));
  }

  /** `GET /v1/plans/{agent}/events`: one event now, and one after each change. */
  events(tenant: Tenant, agentId: string, response: ServerResponse): Promise<void> {
    const { store, reader } = tenant;
    return this.#events.add(response, {
      agentId,
      tenant,
      revision: async () => (await store.load(agentId))?.revision,
      subscribe: (listener) => reader.subscribe(listener),
    });
  }

  /** Sends listeners away. */
  close(): void {
    this.#events.close();
  }
}

const PARALLEL_READS = 16;
const MAX_BODY_BYTES = 2 ** 20;
/** Most names in an error. */
const MAX_KNOWN = 100;

async function summaryOf(store: Tenant['store'], agentId: string): Promise<AgentSummary> {
  try {
    const stored = await store.load(agentId);
    const groups = stored?.plan.parallel_groups ?? [];
    const times = (await store.support(agentId)).map((group) => group.lastSeen);
    return {
      agent_id: agentId,
      ...(stored && { revision: stored.revision }),
      groups: groups.length,
      tools: new Set(groups.flatMap((group) => group.tool_names)).size,
      ...(times.length > 0 && { last_seen: formatTime(times.reduce(laterTime)) }),
    };
  } catch (error) {
    // One broken plan does not hide the others.
    if (!(error instanceof StoreError) || error.code !== 'corrupt_plan') throw error;
    return { agent_id: agentId, groups: 0, tools: 0, error: 'corrupt_plan' };
  }
}

function cachedAnswer(plan: ExecutionPlan, { reader }: Tenant, { headers }: IncomingMessage): Answer {
  const answer = jsonAnswer(plan);
  const etag = `"${createHash('sha256').update(answer.body).digest('base64url').slice(0, 22)}"`;
  const further = { etag, ...(reader.status.isStale && { 'spanplan-stale': 'true' }) };
  if (!matches(headers['if-none-match'], etag))
    return { ...answer, headers: { ...answer.headers, ...further } };
  return { status: 304, headers: { 'cache-control': 'no-cache', ...further }, body: '' };
}

/** Whether the client has this version already, by If-None-Match. */
function matches(header: string | undefined, etag: string): boolean {
  const known = header?.split(',').map((text) => text.trim().replace(/^W\//, '')) ?? [];
  return known.includes('*') || known.includes(etag);
}

async function noPlan(tenant: Tenant, agentId: string): Promise<Problem> {
  await assertKnown(tenant, agentId);
  return new Problem(404, 'This agent has no plan: no two of its tools were seen running at the same time.');
}

/** @throws Problem that names the agents that there are. */
async function assertKnown({ store }: Tenant, agentId: string): Promise<void> {
  const known = await store.agents();
  if (known.includes(agentId)) return;
  throw new Problem(404, 'There is no agent of this name.', { known_agents: known.slice(0, MAX_KNOWN) });
}

function countOf(query: URLSearchParams, name: string, fallback: number, most: number): number {
  const text = query.get(name);
  if (text === null) return fallback;
  const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= most) return count;
  throw new Problem(400, `Expected ${name} to be a whole number from 1 to ${most}.`);
}

function flagOf(query: URLSearchParams, name: string): boolean {
  const text = query.get(name) ?? 'false';
  if (text === 'true' || text === '') return true;
  if (text === 'false') return false;
  throw new Problem(400, `Expected ${name} to be true or false.`);
}
