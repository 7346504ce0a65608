/**
 * Asks the sidecar's admin port, as a program in any language can: by HTTP, for JSON. All that can be asked, and the
 * answers to expect, stand in the sidecar's own `/openapi.json`.
 */
export class PlanClient {
  readonly #admin: string;

  /** @param admin base URL of the admin port. */
  constructor(admin: string) {
    this.#admin = admin;
  }

  /** The agent's groups: tools that were seen running at the same time. None where it has no plan. */
  async groups(agent: string): Promise<readonly Group[]> {
    const plan = await this.#ask<{ readonly parallel_groups: readonly Group[] }>(agent);
    return plan?.parallel_groups ?? [];
  }

  /** The run of the agent that was learned last. */
  async newestRun(agent: string): Promise<Run | undefined> {
    const newest = await this.#ask<{ readonly runs: readonly Run[] }>(agent, '/runs?limit=1');
    return newest?.runs[0];
  }

  /** How many runs the sidecar has learned from, of all agents. They are in their plans. */
  async learnedRuns(): Promise<number> {
    const metrics = await fetch(`${this.#admin}/metrics`).then((answer) => answer.text());
    return Number(/^spanplan_runs_learned_total (\d+)$/m.exec(metrics)?.[1] ?? 0);
  }

  /** Cuts calls, in their order, into batches that may each run at once. */
  async batches(agent: string, calls: readonly string[]): Promise<readonly Batch[]> {
    const partition = await this.#ask<{ readonly batches: readonly Batch[] }>(agent, '/partition', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ calls }),
    });
    return partition?.batches ?? [];
  }

  /** @returns undefined for what the sidecar does not know. */
  async #ask<T>(agent: string, what = '', init: RequestInit = {}): Promise<T | undefined> {
    const answer = await fetch(`${this.#admin}/v1/plans/${encodeURIComponent(agent)}${what}`, init);
    const body: unknown = await answer.json();
    if (answer.ok) return body as T;
    if (answer.status === 404) return undefined;
    const { detail } = body as { readonly detail: string };
    throw new Error(
      `The sidecar cannot answer: ${detail} Without a store's URL the demo needs no server: npm run demo`,
    );
  }
}

export interface Group {
  readonly group_id: string;
  readonly tool_names: readonly string[];
}

export interface Run {
  readonly id: string;
  readonly started_at: string;
  readonly ended_at?: string;
}

export interface Batch {
  readonly calls: readonly { readonly name: string }[];
  /** Why these calls are one batch. */
  readonly reason: { readonly code: string };
}
