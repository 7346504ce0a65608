/**
 * Using a plan: an application that executes tool calls itself runs those at once that the plan says may be.
 *
 *     npm run demo && npx tsx examples/read-plans.ts
 *
 * Another store's URL may follow, such as redis://localhost:6379.
 */
import { PlanReader } from 'spanplan/reader';

const AGENT = 'trip-planner';

async function main(store: string): Promise<void> {
  const reader = new PlanReader({ store });
  const plan = await reader.get(AGENT);
  if (plan === undefined) {
    console.error(`There is no plan of ${AGENT} yet. Make one with: npm run demo`);
    process.exitCode = 1;
  } else {
    const groups = plan.parallel_groups.map((group) => group.tool_names.join(' + '));
    console.log(`${AGENT} was seen running at the same time: ${groups.join(', ')}`);

    const may = await reader.canRunTogether(AGENT, ['flights', 'local_guide']);
    console.log(`May flights and local_guide run together? ${may ? 'yes' : 'not that anyone has seen'}`);

    // What a model asked for in one message. The order is kept; each batch is run at once, one after another.
    const calls = ['weather', 'hotels', 'flights', 'local_guide'].map((name) => ({ name, city: 'Lisbon' }));
    for (const batch of await reader.partition(AGENT, calls)) {
      const results = await Promise.all(batch.map((call) => execute(call)));
      console.log(`Ran at once: ${results.join(', ')}`);
    }
  }
  await reader.close();
}

/** Stands for the application's own tools. */
async function execute(call: { readonly name: string; readonly city: string }): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, 20));
  return call.name;
}

await main(process.argv[2] ?? 'lmdb:./.spanplan');
