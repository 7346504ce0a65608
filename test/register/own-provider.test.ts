import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { workFolder } from '../cli/work-folder.ts';
import { serve } from '../e2e/sidecar-process.ts';
import { eventually, groupsOf, learnedPlan } from '../sidecar/running-sidecar.ts';
import { builtPackage, REPOSITORY } from '../support/built-package.ts';
import { type SdkTreeName, sdkTree } from '../support/sdk-tree.ts';
import { otlpReceiver } from './otlp-receiver.ts';
import { PARTS, runApp, type Surroundings } from './registered-app.ts';

// SPANPLAN_REGISTER_PROVIDER=1: a provider for applications whose framework makes spans, but that have none.

let here: Surroundings;
beforeAll(async () => {
  here = { node: process.execPath, folder: await builtPackage() };
}, 60_000);

const FAN_OUT = { planner: [['fetch', 'search']] };
const TOOLS = ['execute_tool search', 'execute_tool fetch', 'execute_tool summarize'];
const OWN = { SPANPLAN_REGISTER_PROVIDER: '1' };

const LINES: readonly { readonly line: string; readonly tree: SdkTreeName }[] = [
  { line: '1.30.1', tree: 'sdk1' },
  { line: '2.12.0', tree: 'sdk2' },
  { line: '3.1.1', tree: 'sdk3' },
];

describe.each(LINES)('where the application has no provider, with the packages of the SDK $line', (of) => {
  let surroundings: Surroundings;
  beforeAll(async () => {
    surroundings = await sdkTree(of.tree);
  }, 180_000);

  it('one exports by the environment and learns, from the first line on', async () => {
    const { spans, resources, env } = await otlpReceiver();
    const given = { ...env, ...OWN, OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=a-test' };
    const result = await runApp(surroundings, `${PARTS} runAgent();`, { env: given });
    expect(result).toEqual({ stdout: '', stderr: '', learned: FAN_OUT });
    expect(spans().map(({ name }) => name)).toEqual([...TOOLS, 'invoke_agent planner']);
    expect(resources('service.name')).toEqual(['an-agent-service']);
    expect(resources('deployment.environment.name')).toEqual(['a-test']);
    expect(resources('telemetry.sdk.version')).toEqual([of.line]);
  });

  it('one speaks the protocol of the environment', { timeout: 60_000 }, async () => {
    const { ready } = await serve(['--store', 'memory:'], { cwd: workFolder() });
    for (const protocol of ['http/json', 'http/protobuf', 'grpc']) {
      const { stderr, learned } = await runApp(surroundings, `${PARTS} runAgent(undefined, '${protocol}');`, {
        env: {
          ...OWN,
          OTEL_EXPORTER_OTLP_ENDPOINT: `http://${protocol === 'grpc' ? ready.grpc : ready.http}`,
          OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
        },
      });
      expect({ stderr, learned }).toEqual({ stderr: '', learned: { [protocol]: FAN_OUT.planner } });
      const plan = await learnedPlan(`http://${ready.admin}`, protocol);
      expect(groupsOf(plan)).toEqual(FAN_OUT.planner);
    }
    const metrics = await eventually(async () => (await fetch(`http://${ready.admin}/metrics`)).text());
    expect(metrics).toMatch(/^spanplan_spans_received_total 12$/m);
  });

  it('one samples as the environment says', async () => {
    const { spans, env } = await otlpReceiver();
    const given = { ...env, ...OWN, OTEL_TRACES_SAMPLER: 'always_off' };
    const result = await runApp(surroundings, `${PARTS} runAgent();`, { env: given });
    expect(result).toEqual({ stdout: '', stderr: '', learned: {} });
    expect(spans()).toEqual([]);
  });

  it('one keeps the limits of the environment', async () => {
    const { spans, env } = await otlpReceiver();
    const given = { ...env, ...OWN, OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: '1' };
    await runApp(surroundings, `${PARTS} runAgent();`, { env: given });
    expect(spans().map(({ attributes }) => attributes)).toEqual(
      ['execute_tool', 'execute_tool', 'execute_tool', 'invoke_agent'].map((operation) => [
        { key: 'gen_ai.operation.name', value: { stringValue: operation } },
      ]),
    );
  });

  it('spans find their parent over asynchronous calls', async () => {
    const app = `${PARTS}
      const tracer = api.trace.getTracer('an-agent');
      const pause = (millis) => new Promise((resolve) => setTimeout(resolve, millis));
      const tool = (name) => tracer.startActiveSpan('execute_tool ' + name,
        { attributes: { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': name } },
        async (span) => { await pause(50); span.end(); });
      const attributes = { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'planner' };
      await tracer.startActiveSpan('invoke_agent planner', { attributes }, async (span) => {
        await pause(1);
        await Promise.all([tool('search'), tool('fetch')]);
        span.end();
      });`;
    const env = { ...OWN, OTEL_TRACES_EXPORTER: 'none' };
    expect(await runApp(surroundings, app, { env })).toEqual({ stdout: '', stderr: '', learned: FAN_OUT });
  });
});

describe('where the application registers its own after all', () => {
  it('gives way: all is exported by that one only, whenever its tracer was asked for', async () => {
    const { spans, env } = await otlpReceiver();
    const app = `${PARTS}
      import * as sdk from '@opentelemetry/sdk-trace-node';
      const early = api.trace.getTracer('early');
      early.startSpan('ours').end();
      const spanProcessors = [new sdk.SimpleSpanProcessor(exporter())];
      const provider = new sdk.NodeTracerProvider({ idGenerator, spanProcessors });
      provider.register();
      console.log(api.trace.getTracerProvider().getDelegate() === provider);
      early.startSpan('early', { startTime: 1, root: true }).end(2);
      early.startActiveSpan('outer', { startTime: 3, root: true }, (outer) => {
        early.startSpan('inner', { startTime: 4 }).end(5);
        outer.end(6);
      });
      runAgent();
      await provider.shutdown();`;
    const { stdout, stderr, learned } = await runApp(here, app, { env: { ...env, ...OWN } });
    const exported = stdout.split('\n').flatMap((line) => /^first \["([^"]+)/.exec(line)?.[1] ?? []);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^true\n/);
    expect(exported).toEqual(['early', 'inner', 'outer', ...TOOLS, 'invoke_agent planner']);
    expect(spans().map(({ name }) => name)).toEqual(['ours']);
    expect(learned).toEqual(FAN_OUT);
  });

  it('stays where something else is registered', async () => {
    const { spans, env } = await otlpReceiver();
    const app = `${PARTS}
      const told = [];
      api.diag.setLogger({ error: (message) => told.push(message), warn() {}, info() {}, debug() {}, verbose() {} });
      api.propagation.setGlobalPropagator({ inject() {}, extract: (context) => context, fields: () => [] });
      runAgent();
      await null;
      console.log(api.trace.getTracerProvider().getDelegate().constructor.name, told.length);`;
    const { stdout, learned } = await runApp(here, app, { env: { ...env, ...OWN } });
    expect(stdout).toBe('OwnProvider 0\n');
    expect(spans()).toHaveLength(4);
    expect(learned).toEqual(FAN_OUT);
  });
});

describe('where none can be made, that is told once, and the application runs', () => {
  /** A folder that has spanplan and these packages, and nothing else. */
  async function bare(node: string, packages: Readonly<Record<string, string>>): Promise<Surroundings> {
    const folder = await mkdtemp(join(tmpdir(), 'spanplan-bare-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const all = { ...packages, spanplan: join(here.folder, 'node_modules/spanplan') };
    for (const [name, from] of Object.entries(all)) {
      await cp(from, join(folder, 'node_modules', name), { recursive: true });
    }
    return { node, folder };
  }
  const RUNS = `console.log('runs')`;
  const told = (what: string) =>
    `spanplan: no tracer provider was made, and only one that the application registers is learned from: ${what}\n`;

  it.each([
    [
      'SDK of the API 1.9',
      'sdk1',
      {},
      '@opentelemetry/sdk-trace-base',
      '@opentelemetry/exporter-trace-otlp-http',
    ],
    [
      'SDK of the API 1.10',
      'sdk3',
      {},
      '@opentelemetry/sdk-trace',
      '@opentelemetry/exporter-trace-otlp-http',
    ],
    [
      'SDK, for another protocol',
      'sdk1',
      { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json', OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc' },
      '@opentelemetry/sdk-trace-base',
      '@opentelemetry/exporter-trace-otlp-grpc',
    ],
  ] as const)('without the %s', async (_, tree, env, sdk, exporter) => {
    const { folder, node } = await sdkTree(tree);
    const packages = { '@opentelemetry/api': join(folder, 'node_modules/@opentelemetry/api') };
    const { stdout, stderr } = await runApp(await bare(node, packages), RUNS, { env: { ...OWN, ...env } });
    const what = `SPANPLAN_REGISTER_PROVIDER needs ${sdk}, which cannot be loaded; npm install ${sdk} ${exporter}`;
    expect({ stdout, stderr }).toEqual({ stdout: 'runs\n', stderr: told(what) });
  });

  it('without the exporter', async () => {
    const names = ['api', 'core', 'resources', 'sdk-trace-base', 'sdk-trace', 'semantic-conventions'];
    const packages = Object.fromEntries(
      names.map((name) => [`@opentelemetry/${name}`, join(REPOSITORY, 'node_modules/@opentelemetry', name)]),
    );
    const surroundings = await bare(process.execPath, packages);
    const { stdout, stderr } = await runApp(surroundings, RUNS, { env: OWN });
    const exporter = '@opentelemetry/exporter-trace-otlp-http';
    const what = `SPANPLAN_REGISTER_PROVIDER needs ${exporter}, which cannot be loaded; npm install @opentelemetry/sdk-trace-base ${exporter}`;
    expect({ stdout, stderr }).toEqual({ stdout: 'runs\n', stderr: told(what) });
    // One that exports nothing needs none.
    const silent = await runApp(surroundings, RUNS, { env: { ...OWN, OTEL_TRACES_EXPORTER: 'none' } });
    expect(silent.stderr).toBe('');
  });

  it.each([
    [
      { OTEL_EXPORTER_OTLP_PROTOCOL: 'http' },
      'OTEL_EXPORTER_OTLP_PROTOCOL must be http/json or http/protobuf or grpc',
    ],
    [{ OTEL_SDK_DISABLED: 'true' }, 'OTEL_SDK_DISABLED is true'],
  ])('for %j, and the provider that the application registers is joined', async (env, what) => {
    const app = `${PARTS}
      import * as sdk from 'sdk20';
      api.trace.setGlobalTracerProvider(new sdk.BasicTracerProvider());
      runAgent();`;
    const { stderr, learned } = await runApp(here, app, { env: { ...OWN, ...env } });
    expect({ stderr, learned }).toEqual({ stderr: told(what), learned: FAN_OUT });
  });
});
