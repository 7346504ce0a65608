import {
  type Convention,
  type ExecutionPlan,
  FanoutSpanProcessor,
  type FanoutSpanProcessorOptions,
  MemoryPlanStore,
  PlanReader,
  type PlanStore,
  StoreError,
  type StoreErrorCode,
} from 'spanplan';
import { LmdbPlanStore } from 'spanplan/lmdb';
import type { PlanReader as ReaderAlone } from 'spanplan/reader';
import { RedisPlanStore } from 'spanplan/redis';
import {
  ConfigError,
  readConfig,
  Sidecar,
  type SidecarConfig,
  StartError,
  type StopReport,
} from 'spanplan/sidecar';

// Compiled, never run: what the types promise, and what they refuse. A line marked as an error that is none fails.

/** Fails to compile unless the two types are the same. */
function same<A, B>(_: [A] extends [B] ? ([B] extends [A] ? true : false) : false): void {}

// Stores: each is a PlanStore, and goes wherever one is wanted.
const stores: readonly PlanStore[] = [
  new MemoryPlanStore(),
  new LmdbPlanStore({ path: './plans' }),
  new RedisPlanStore({ url: 'redis://localhost:6379' }),
];
for (const store of stores) new FanoutSpanProcessor({ store });
// @ts-expect-error a processor needs a store
new FanoutSpanProcessor({});
// @ts-expect-error a store is an object or a URL
new FanoutSpanProcessor({ store: 6379 });
// @ts-expect-error an option that does not exist
new FanoutSpanProcessor({ store: 'memory:', maxAge: 5 });
// @ts-expect-error a run is an agent's or a trace's
new FanoutSpanProcessor({ store: 'memory:', run: 'span' });

// Options may be passed on, and each may be left out or undefined where it says so.
const options: FanoutSpanProcessorOptions = { store: 'memory:', cohorts: 'maximal', maxGroups: 100 };
new FanoutSpanProcessor({ ...options, agentId: (span) => span.attributes['my.agent']?.toString() });
new FanoutSpanProcessor({ ...options, agentId: undefined, toolName: undefined, conventions: undefined });

// A convention of one's own is written without help of any other type.
const convention: Convention = {
  name: 'mine',
  source: 'my framework 1.0',
  attributes: ['my.kind', 'my.tool'],
  recognise: ({ attributes }) =>
    attributes['my.kind'] === 'tool'
      ? { role: 'tool', rule: 'mine.tool', name: String(attributes['my.tool']) }
      : undefined,
};
new FanoutSpanProcessor({ ...options, conventions: [convention] });
// @ts-expect-error a role that does not exist
const wrongRole: Convention = { ...convention, recognise: () => ({ role: 'subagent', rule: 'mine' }) };

// Reading.
const reader = new PlanReader({ store: 'memory:', maxAgeMillis: 1_000 });
same<typeof PlanReader, typeof ReaderAlone>(true);
const plan = await reader.get('planner');
same<typeof plan, ExecutionPlan | undefined>(true);
// @ts-expect-error an agent may have no plan
plan.parallel_groups;
// @ts-expect-error a plan is read, not written
if (plan) plan.parallel_groups = [];

// partition gives back the very calls it was given.
const named = await reader.partition('planner', ['search', 'fetch']);
same<typeof named, readonly (readonly ('search' | 'fetch')[])[]>(true);
const calls = [{ name: 'search', input: { query: 'x' } }];
const batches = await reader.partition('planner', calls);
batches[0]?.[0]?.input.query.toUpperCase();
// @ts-expect-error a call has a name
await reader.partition('planner', [{ tool: 'search' }]);

// The sidecar, inside of one's own process: what makes its configuration comes with it.
async function runSidecar(log: ConstructorParameters<typeof Sidecar>[2]): Promise<StopReport | undefined> {
  try {
    const config: SidecarConfig = readConfig({
      file: { name: 'spanplan.yaml', text: 'exporters: {memory: }' },
      flags: { http: '127.0.0.1:0', grpc: '127.0.0.1:0', admin: '127.0.0.1:0' },
      env: {},
    });
    const sidecar = new Sidecar(config, '1.0.0', log);
    const { http } = await sidecar.start();
    http?.port.toFixed();
    return await sidecar.stop();
  } catch (error) {
    if (error instanceof ConfigError) error.mistakes[0]?.place.toUpperCase();
    else if (!(error instanceof StartError)) throw error;
    return undefined;
  }
}
// @ts-expect-error a configuration is read as a whole
new Sidecar({ receivers: {} }, '1.0.0', console);

// Errors are told apart by their codes.
function isLater(error: unknown): boolean {
  return error instanceof StoreError && error.code === 'unavailable';
}
// @ts-expect-error a code that does not exist
const wrongCode: StoreErrorCode = 'timeout';

export { isLater, runSidecar, wrongCode, wrongRole };
