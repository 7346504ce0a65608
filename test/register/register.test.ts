import { beforeAll, describe, expect, it } from 'vitest';
import { builtPackage } from '../support/built-package.ts';
import { sdkTree } from '../support/sdk-tree.ts';
import { PARTS, runApp, type Surroundings } from './registered-app.ts';

// node --import spanplan/register app.js: applications that do not know of spanplan are learned from, and their own
// exporters are given the very same.

const FAN_OUT = { planner: [['fetch', 'search']] };

let here: Surroundings;
let sdk3: Surroundings;
beforeAll(async () => {
  here = { node: process.execPath, folder: await builtPackage() };
  sdk3 = await sdkTree('sdk3');
}, 180_000);

const LINES = [
  { line: '1.30', sdk: 'sdk1', provider: 'BasicTracerProvider', surroundings: () => here },
  { line: '2.0', sdk: 'sdk20', provider: 'BasicTracerProvider', surroundings: () => here },
  {
    line: '2.12',
    sdk: '@opentelemetry/sdk-trace-node',
    provider: 'NodeTracerProvider',
    surroundings: () => here,
  },
  { line: '3.1', sdk: '@opentelemetry/sdk-trace', provider: 'TracerProvider', surroundings: () => sdk3 },
];

describe.each(LINES)('an application with the SDK $line', ({ line, sdk, provider, surroundings }) => {
  const setUp = (processors: string) => `${PARTS}
    import * as sdk from '${sdk}';
    const early = api.trace.getTracer('before-there-is-a-provider');
    const provider = new sdk.${provider}({ idGenerator, spanProcessors: [${processors}] });
    api.trace.setGlobalTracerProvider(provider);`;
  // 3.x takes options there.
  const given = (name: string) =>
    line === '3.1' ? `{ exporter: exporter('${name}') }` : `exporter('${name}')`;
  const simple = `new sdk.SimpleSpanProcessor(${given('first')})`;
  const batch = `new sdk.BatchSpanProcessor(${given('second')})`;

  it.each([
    ['that shuts its provider down', 'runAgent(); await provider.shutdown();'],
    ['that flushes, and is ended', 'runAgent(); await provider.forceFlush(); process.exit();'],
    ['that just ends', 'runAgent();'],
    ['that took its tracer before', 'runAgent(early); await provider.shutdown();'],
    ['that does not end its spans', `early.startSpan('open', { root: true }); runAgent();`],
  ])('%s exports the same, and is learned from', async (_, rest) => {
    const app = setUp(`${simple}, ${batch}`) + rest;
    const without = await runApp(surroundings(), app, { registered: false });
    const registered = await runApp(surroundings(), app);
    expect(without.stdout).toMatch(/first .*invoke_agent planner/);
    expect(without.learned).toEqual({});
    expect(registered).toEqual({ stdout: without.stdout, stderr: '', learned: FAN_OUT });
  });

  // With the API 1.10 that is another copy of it than the one spanplan imports.
  it('of CommonJS, started by NODE_OPTIONS, exports the same, and is learned from', async () => {
    const app = `${setUp(simple)} runAgent();`;
    const without = await runApp(surroundings(), app, { type: 'commonjs', registered: false });
    const registered = await runApp(surroundings(), app, {
      type: 'commonjs',
      registered: false,
      env: { NODE_OPTIONS: '--import=spanplan/register' },
    });
    expect(without.stdout).toMatch(/first .*invoke_agent planner/);
    expect(registered).toEqual({ stdout: without.stdout, stderr: '', learned: FAN_OUT });
  });

  it('without a processor is learned from', async () => {
    const app = `${setUp('')} runAgent(); await provider.forceFlush(); process.exit();`;
    expect(await runApp(surroundings(), app)).toEqual({ stdout: '', stderr: '', learned: FAN_OUT });
  });

  it('that gives its provider up for a second one is learned from in both', async () => {
    const app = `${setUp(simple)} runAgent(); await provider.shutdown(); api.trace.disable();
      const second = new sdk.${provider}({ spanProcessors: [] });
      api.trace.setGlobalTracerProvider(second);
      runAgent(undefined, 'second'); await second.shutdown();`;
    const { learned } = await runApp(surroundings(), app);
    expect(learned).toEqual({ ...FAN_OUT, second: FAN_OUT.planner });
  });
});

describe('SDK 1.x, where processors may come later', () => {
  it.each([
    ['none', ''],
    ['one', `provider.addSpanProcessor(new sdk.SimpleSpanProcessor(exporter('there')));`],
    // What the SDK makes from OTEL_TRACES_EXPORTER, and stops when the first processor is added.
    [
      'one from the environment',
      `provider.activeSpanProcessor = new sdk.SimpleSpanProcessor(exporter('env'));`,
    ],
  ])('with %s there when it registers', async (_, before) => {
    const app = `${PARTS}
      import * as sdk from 'sdk1';
      const provider = new sdk.BasicTracerProvider({ idGenerator });
      ${before}
      provider.register();
      api.trace.getTracer('an-app').startSpan('before', { startTime: new Date(1), root: true }).end(new Date(2));
      provider.addSpanProcessor(new sdk.SimpleSpanProcessor(exporter('added')));
      runAgent();
      await provider.shutdown();`;
    const without = await runApp(here, app, { registered: false });
    expect(without.stdout).toMatch(/added .*invoke_agent planner/);
    expect(await runApp(here, app)).toEqual({ stdout: without.stdout, stderr: '', learned: FAN_OUT });
  });
});

describe('2.x, where the list of processors is the application’s own array', () => {
  it.each(['Object.freeze', 'Array.from'])('made by %s', async (freeze) => {
    const app = `${PARTS}
      import * as sdk from '@opentelemetry/sdk-trace-node';
      const spanProcessors = ${freeze}([new sdk.SimpleSpanProcessor(exporter())]);
      const provider = new sdk.NodeTracerProvider({ idGenerator, spanProcessors });
      provider.register();
      runAgent();
      await provider.shutdown();`;
    const without = await runApp(here, app, { registered: false });
    expect(await runApp(here, app)).toEqual({ stdout: without.stdout, stderr: '', learned: FAN_OUT });
  });
});

describe('whatever comes', () => {
  it('settings come from SPANPLAN_*', async () => {
    const app = `${PARTS}
      import * as sdk from 'sdk20';
      const provider = new sdk.BasicTracerProvider();
      api.trace.setGlobalTracerProvider(provider);
      runAgent(); await provider.shutdown();`;
    const { learned } = await runApp(here, app, { env: { SPANPLAN_AGENT: 'mine' } });
    expect(learned).toEqual({ mine: FAN_OUT.planner });
    const env = { SPANPLAN_MIN_OVERLAP: '1000' };
    expect((await runApp(here, app, { env })).learned).toEqual({ planner: [] });
  });

  it.each([
    [{ SPANPLAN_COHORTS: 'some' }, 'SPANPLAN_COHORTS must be every or maximal'],
    [{ SPANPLAN_MIN_OVERLAP: 'long' }, 'SPANPLAN_MIN_OVERLAP must be a number of 0 or more'],
    [{ SPANPLAN_STORE: 'ftp://user:secret@host' }, 'That is no URL of a store'],
  ])('a mistake in %j is told on stderr, and the application runs', async (mistake, told) => {
    const app = `${PARTS}
      import * as sdk from 'sdk20';
      const spanProcessors = [new sdk.SimpleSpanProcessor(exporter())];
      api.trace.setGlobalTracerProvider(new sdk.BasicTracerProvider({ spanProcessors, idGenerator }));
      runAgent();`;
    const without = await runApp(here, app, { registered: false });
    const { SPANPLAN_STORE = 'memory:', ...others } = mistake as Record<string, string>;
    const { stdout, stderr } = await runApp(here, app, { env: { SPANPLAN_STORE, ...others } });
    expect(stdout).toBe(without.stdout);
    expect(stderr).toContain(`spanplan: nothing will be learned: ${told}`);
    expect(stderr).not.toContain('secret');
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it('an application without OpenTelemetry ends as soon as without, and in silence', async () => {
    const started = performance.now();
    const app = `console.log(Object.getOwnPropertySymbols(globalThis).map((key) => globalThis[key]?.version))`;
    expect(await runApp(here, app)).toMatchObject({ stderr: '', learned: {} });
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it.each([
    ['no provider', '', /^spanplan: no OpenTelemetry tracer provider was registered in the first 60 s;.*\n$/],
    [
      'a provider of another kind',
      'class Other { getTracer() {} } api.trace.setGlobalTracerProvider(new Other());',
      /^spanplan: the tracer provider \(Other\) is none of .*\n$/,
    ],
    [
      'a provider that is joined',
      'api.trace.setGlobalTracerProvider(new sdk.BasicTracerProvider()); api.trace.disable();',
      /^$/,
    ],
  ])('after a minute with %s that is told, once', async (_, app, told) => {
    const hasten = `const start = globalThis.setTimeout;
      globalThis.setTimeout = (call, millis, ...more) => start(call, millis === 60000 ? 20 : millis, ...more);`;
    const { stderr } = await runApp(
      here,
      `${PARTS} import * as sdk from 'sdk20'; ${app} setTimeout(() => {}, 300);`,
      { env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hasten)}` } },
    );
    expect(stderr).toMatch(told);
  });

  it('a store that is away delays the end by the timeout, once, and changes nothing else', async () => {
    const app = `${PARTS}
      import * as sdk from 'sdk20';
      const spanProcessors = [new sdk.SimpleSpanProcessor(exporter())];
      api.trace.setGlobalTracerProvider(new sdk.BasicTracerProvider({ spanProcessors, idGenerator }));
      api.trace.getTracer('an-app').startSpan('open', { root: true });
      runAgent();`;
    const without = await runApp(here, app, { registered: false });
    const started = performance.now();
    const { stdout, stderr } = await runApp(here, app, { env: { SPANPLAN_STORE: 'redis://127.0.0.1:1' } });
    expect({ stdout, stderr }).toEqual({ stdout: without.stdout, stderr: '' });
    expect(performance.now() - started).toBeLessThan(8_000);
  });

  it('a provider of another kind works as before', async () => {
    const app = `${PARTS}
      class OtherProvider { getTracer(name) { return { startSpan: () => console.log(name) ?? api.trace.wrapSpanContext({}) } } }
      api.trace.setGlobalTracerProvider(new OtherProvider());
      api.trace.getTracer('as before').startSpan('x');`;
    expect(await runApp(here, app)).toEqual({ stdout: 'as before\n', stderr: '', learned: {} });
  });

  it('a frozen global object of the API, where nothing can be watched, harms nobody', async () => {
    const app = `${PARTS}
      globalThis[Symbol.for('opentelemetry.js.api.1')] = Object.freeze({ version: '1.9.1' });
      console.log(api.trace.getTracer('x').startSpan('y').isRecording());`;
    expect(await runApp(here, app)).toMatchObject({ stdout: 'false\n', stderr: '' });
  });
});
