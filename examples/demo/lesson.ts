import type { PlanClient, Run } from './plan-client.ts';

/** What spanplan learned from one piece of work. */
export interface Lesson {
  /** How long the first agent's run took. */
  readonly millis: number;
  /** Groups that no plan had before. */
  readonly news: readonly (readonly string[])[];
}

/**
 * Has these agents work, and compares what the sidecar knows after it with what it knew before.
 * @param agents who take part, the one that is in charge first.
 */
export async function lessonOf(
  work: () => Promise<void>,
  agents: readonly [string, ...string[]],
  plans: PlanClient,
): Promise<Lesson> {
  const known = new Set((await groupsOf(agents, plans)).map(String));
  const before = await plans.learnedRuns();
  await work();
  await learned(before + agents.length, plans);
  const run = await plans.newestRun(agents[0]);
  const news = (await groupsOf(agents, plans)).filter((tools) => !known.has(String(tools)));
  return { millis: run === undefined ? 0 : millisOf(run), news };
}

/**
 * A trace is learned from once it has been quiet for a while, so the work is over some time before. The count tells,
 * since not every run changes a plan, and a run can be seen in the store a moment before its plan is answered anew.
 */
async function learned(runs: number, plans: PlanClient): Promise<void> {
  const deadline = performance.now() + PATIENCE_MILLIS;
  while ((await plans.learnedRuns()) < runs) {
    if (performance.now() > deadline) throw new Error(NOTHING_CAME);
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLIS));
  }
}

const PATIENCE_MILLIS = 10_000;
const POLL_MILLIS = 30;
const NOTHING_CAME =
  'The agent has run, and the sidecar has not learned from it within 10 s. Does the agent export all of its spans?';

async function groupsOf(
  agents: readonly string[],
  plans: PlanClient,
): Promise<readonly (readonly string[])[]> {
  const groups = await Promise.all(agents.map((agent) => plans.groups(agent)));
  return groups.flat().map((group) => group.tool_names);
}

function millisOf({ started_at, ended_at = started_at }: Run): number {
  return Date.parse(ended_at) - Date.parse(started_at);
}
