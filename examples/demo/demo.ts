/**
 * What spanplan does, from end to end: a real agent runs a few times with the processor registered, and its plan comes
 * out of the store. Run it with `npm run demo`; another store's URL may follow: `npm run demo -- redis://localhost`.
 */
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { FanoutSpanProcessor, PlanReader, type PlanStore } from 'spanplan';
import { openTerminal, type Terminal } from './terminal.ts';
import { TraceView } from './trace-view.ts';
import { planTrip, type Trip } from './trip-planner.ts';

const TRIPS: readonly Trip[] = [
  { city: 'Lisbon', weather: false },
  { city: 'Oslo', weather: true },
  { city: 'Kyoto', weather: true },
];
const AGENTS = ['trip-planner', 'local-guide'];

async function main(storeUrl: string): Promise<void> {
  const terminal = openTerminal(process.stdout, process.env);
  const { print, bold, dim } = terminal;
  print(bold('An agent plans trips, and spanplan watches which of its tools run at the same time.'));
  print();

  // All there is to it: one more span processor.
  const fanout = new FanoutSpanProcessor({ store: storeUrl });
  const view = new TraceView();
  const provider = new NodeTracerProvider({ spanProcessors: [fanout, view] });
  provider.register();

  const reader = new PlanReader({ store: fanout.store });
  for (const trip of TRIPS) {
    const before = new Set(await groupsOf(reader));
    terminal.progress(dim(`  ${trip.city.padEnd(8)}the agent is at work …`));
    const started = performance.now();
    await planTrip(trip);
    const millis = Math.round(performance.now() - started);
    await provider.forceFlush();
    const news = (await groupsOf(reader)).filter((group) => !before.has(group));
    const learned = news.length > 0 ? terminal.green(news.join(', ')) : dim('nothing new');
    print(`  ${trip.city.padEnd(8)}${dim(`${millis} ms`.padStart(7))}  ${learned}`);
  }

  print();
  print(bold('The last trace, as OpenTelemetry saw it'));
  view.draw(terminal);

  print();
  print(bold('The plan that spanplan learned'));
  for (const agent of AGENTS) await printPlan(terminal, fanout.store, agent);
  const calls = ['flights', 'hotels', 'weather', 'local_guide'];
  const batches = await reader.partition('trip-planner', calls);
  print();
  print(
    `  ${dim('So these four calls may run as')}  ${batches.map((batch) => batch.join(' + ')).join(dim('  then  '))}`,
  );

  print();
  print(`It is kept in ${bold(withoutPassword(storeUrl))}. To look at it again:`);
  print();
  print(`  npx spanplan plan${storeUrl === DEFAULT_STORE ? '' : ` --store ${withoutPassword(storeUrl)}`}`);
  await reader.close();
  await provider.shutdown();
}

async function groupsOf(reader: PlanReader): Promise<readonly string[]> {
  const plans = await Promise.all(AGENTS.map((agent) => reader.get(agent)));
  return plans.flatMap((plan) => plan?.parallel_groups.map((group) => group.tool_names.join(' + ')) ?? []);
}

/** An agent's groups, the largest first: a group that another contains says nothing new. */
async function printPlan(
  { print, bold, cyan, dim }: Terminal,
  store: PlanStore,
  agent: string,
): Promise<void> {
  print(`  ${bold(agent)}`);
  const groups = [...(await store.support(agent))].sort((a, b) => b.toolNames.length - a.toolNames.length);
  groups.forEach(({ toolNames, runs }, index) => {
    const larger = groups
      .slice(0, index)
      .find((other) => toolNames.every((name) => other.toolNames.includes(name)));
    const seen = larger === undefined ? `seen in ${runs} runs` : dim('part of the one above');
    print(`    ${cyan(toolNames.join(' + ').padEnd(30))}  ${seen}`);
  });
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//');
}

const DEFAULT_STORE = 'lmdb:./.spanplan';

try {
  await main(process.argv[2] ?? DEFAULT_STORE);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
