/**
 * What spanplan does, from end to end and over the wire:
 *
 *     agent.ts, a process for each trip ─ OTLP → spanplan serve ─ the same bytes → Backend, where spans went before
 *                                                      ↑
 *                               PlanClient ─ which of these calls may run at once?
 *
 * Run it with `npm run demo`; another store's URL may follow: `npm run demo -- redis://localhost`.
 */
import { constants } from 'node:os';
import { Backend } from './backend.ts';
import { Child, type ChildOptions } from './child.ts';
import { lessonOf } from './lesson.ts';
import { type Batch, type Group, PlanClient } from './plan-client.ts';
import { Sidecar } from './sidecar.ts';
import { openTerminal } from './terminal.ts';
import { drawTrace } from './trace-view.ts';
import type { Trip } from './trip-planner.ts';

const TRIPS: readonly Trip[] = [
  { city: 'Lisbon', weather: false },
  { city: 'Oslo', weather: true },
  { city: 'Kyoto', weather: true },
];
const AGENTS = ['trip-planner', 'local-guide'] as const;
/** As a model may ask for them in one message. */
const CALLS = ['flights', 'hotels', 'weather', 'local_guide'];
const DEFAULT_STORE = 'lmdb:./.spanplan';

const terminal = openTerminal(process.stdout, process.env);
const { print, bold, dim, cyan, green } = terminal;

async function main(store: string): Promise<void> {
  print(bold('An agent plans trips, and a sidecar learns which of its tools run at the same time.'));
  print();
  const backend = await Backend.open();
  const sidecar = await Sidecar.start(store, backend.url);
  const plans = new PlanClient(sidecar.admin);
  const endpoint = `OTEL_EXPORTER_OTLP_ENDPOINT=${sidecar.endpoint}`;
  print(`  ${endpoint}   ${dim('all that the agent is told')}`);
  print(`  ${`${sidecar.admin}/v1/plans`.padEnd(endpoint.length)}   ${dim('where the plans are')}`);
  print();

  for (const trip of TRIPS) await sidecar.during(takeTrip(trip, sidecar, plans));
  const groups = await sidecar.during(Promise.all(AGENTS.map((agent) => plans.groups(agent))));
  const batches = await sidecar.during(plans.batches(AGENTS[0], CALLS));
  await sidecar.stop();
  backend.close();

  print();
  print(bold('The last trace, as the sidecar passed it on'));
  drawTrace(backend.newestTrace, terminal);
  print();
  print(bold('The plan that spanplan learned'));
  for (const [index, agent] of AGENTS.entries()) printPlan(agent, groups[index] ?? []);
  print();
  print(bold(`Which of ${CALLS.join(', ')} may run at once?`));
  printBatches(batches);
  print();
  printWayBack(store);
}

async function takeTrip({ city, weather }: Trip, { endpoint }: Sidecar, plans: PlanClient): Promise<void> {
  terminal.progress(dim(`  ${city.padEnd(8)}the agent is at work …`));
  const agent: ChildOptions = {
    name: 'The agent',
    source: 'examples/demo/agent.ts',
    args: weather ? [city, '--weather'] : [city],
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint },
    advice: 'Where a package is missing: npm ci',
  };
  const work = () => new Child(agent).ended;
  const { millis, news } = await lessonOf(work, AGENTS, plans);
  const learned = news.map((tools) => tools.join(' + ')).join(', ');
  const told = learned === '' ? dim('nothing new') : green(learned);
  print(`  ${city.padEnd(8)}${dim(`${millis} ms`.padStart(7))}  ${told}`);
}

/** An agent's groups, the largest first: a group that another contains says nothing new. */
function printPlan(agent: string, groups: readonly Group[]): void {
  print(`  ${bold(agent)}`);
  const sorted = [...groups].sort((a, b) => b.tool_names.length - a.tool_names.length);
  sorted.forEach(({ group_id, tool_names }, index) => {
    const larger = sorted
      .slice(0, index)
      .find((other) => tool_names.every((name) => other.tool_names.includes(name)));
    const note = larger === undefined ? group_id : 'part of the one above';
    print(`    ${cyan(tool_names.join(' + ').padEnd(30))}  ${dim(note)}`);
  });
}

function printBatches(batches: readonly Batch[]): void {
  batches.forEach(({ calls, reason }, index) => {
    const order = index === 0 ? 'first' : 'then ';
    const names = calls.map((call) => call.name).join(' + ');
    print(`  ${order}  ${cyan(names.padEnd(25))}  ${dim(reason.code.replaceAll('_', ' '))}`);
  });
}

function printWayBack(store: string): void {
  if (store === 'memory:') {
    print('It was kept in memory, and is gone with the sidecar.');
    return;
  }
  // Without user, password and query, which may hold a key.
  const shown = store.replace(/\/\/.*@/, '//').replace(/\?.*/, '');
  print(`The sidecar has ended; the plan stays in ${bold(shown)}. To look at it again:`);
  print();
  print(`  npx spanplan plan${store === DEFAULT_STORE ? '' : ` --store ${shown}`}`);
}

/** Rejects with the first signal that asks to end; a second one is not discussed. */
function interruption(): Promise<never> {
  return new Promise((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (process.exitCode !== undefined) process.exit();
        process.exitCode = 128 + constants.signals[signal];
        reject(new Error(`Interrupted by ${signal}; ending the sidecar …`));
      });
    }
  });
}

try {
  await Promise.race([main(process.argv[2] ?? DEFAULT_STORE), interruption()]);
} catch (error) {
  terminal.progress('');
  console.error(error instanceof Error ? error.message : error);
  process.exitCode ??= 1;
  await Child.endAll();
}
// Whatever was given up does not keep it alive.
process.exit();
