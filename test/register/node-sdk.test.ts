import { beforeAll, describe, expect, it } from 'vitest';
import { freshPrefix, redisUrl } from '../support/redis.ts';
import { type SdkTreeName, sdkTree } from '../support/sdk-tree.ts';
import { otlpReceiver } from './otlp-receiver.ts';
import { PARTS, runApp, type Surroundings } from './registered-app.ts';

// Applications that leave all to NodeSDK and its environment, in each line of the SDK: registered, their exporter sends
// the very same, and they are learned from.

const FAN_OUT = { planner: [['fetch', 'search']] };
const SPANS = ['execute_tool search', 'execute_tool fetch', 'execute_tool summarize', 'invoke_agent planner'];

const LINES: readonly { readonly line: string; readonly tree: SdkTreeName }[] = [
  { line: '1.30.1', tree: 'sdk1' },
  { line: '2.12.0', tree: 'sdk2' },
  { line: '3.1.0', tree: 'sdk3' },
];

const STARTED = `${PARTS}
  import * as node from '@opentelemetry/sdk-node';
  const sdk = new node.NodeSDK();
  sdk.start();`;
const SHUT_DOWN = `${STARTED} runAgent(); await sdk.shutdown();`;

/** The file that an application loads before itself, as its documentation tells it to. */
const SET_UP = `import { createRequire } from 'node:module';
  const { NodeSDK } = createRequire(process.cwd() + '/')('@opentelemetry/sdk-node');
  const sdk = new NodeSDK();
  sdk.start();
  process.once('beforeExit', () => sdk.shutdown());`;
const LOAD_SET_UP = `--import=data:text/javascript,${encodeURIComponent(SET_UP)}`;

describe.each(LINES)('an application with the NodeSDK of $line', ({ line, tree }) => {
  let surroundings: Surroundings;
  beforeAll(async () => {
    surroundings = await sdkTree(tree);
  }, 180_000);

  it.each([
    ['LMDB', undefined],
    ['Redis', { url: redisUrl(), keyPrefix: freshPrefix() }],
  ])('exports the same, and is learned from into %s', async (_, redis) => {
    const alone = await otlpReceiver();
    const beside = await otlpReceiver();
    const without = await runApp(surroundings, SHUT_DOWN, { env: alone.env, registered: false });
    const registered = await runApp(surroundings, SHUT_DOWN, {
      env: beside.env,
      ...(redis && { redis }),
    });
    expect(without).toEqual({ stdout: '', stderr: '', learned: {} });
    expect(registered).toEqual({ stdout: '', stderr: '', learned: FAN_OUT });
    expect(beside.spans().map(({ name }) => name)).toEqual(SPANS);
    expect(beside.spans()).toEqual(alone.spans());
    expect(beside.resources('service.name')).toEqual(['an-agent-service']);
    expect(beside.resources('telemetry.sdk.version')).toEqual([line]);
  });

  it.each(['module', 'commonjs'] as const)(
    'of type %s, started by NODE_OPTIONS, is learned from',
    async (type) => {
      const { env, spans } = await otlpReceiver();
      const app = `${STARTED} runAgent(); sdk.shutdown();`;
      const result = await runApp(surroundings, app, {
        type,
        registered: false,
        env: { ...env, NODE_OPTIONS: '--import=spanplan/register' },
      });
      expect(result).toEqual({ stdout: '', stderr: '', learned: FAN_OUT });
      expect(spans().map(({ name }) => name)).toEqual(SPANS);
    },
  );

  it.each([
    ['before spanplan', LOAD_SET_UP, true],
    ['after spanplan', `--import=spanplan/register ${LOAD_SET_UP}`, false],
  ])(
    'that sets it up in a file loaded %s is exported once, and learned from',
    async (_, options, registered) => {
      const { env, spans } = await otlpReceiver();
      const result = await runApp(surroundings, `${PARTS} runAgent();`, {
        registered,
        env: { ...env, NODE_OPTIONS: options, SPANPLAN_REGISTER_PROVIDER: '1' },
      });
      expect(result).toEqual({ stdout: '', stderr: '', learned: FAN_OUT });
      expect(spans().map(({ name }) => name)).toEqual(SPANS);
    },
  );

  // Attributes of its resource are still being found out then, and read too early they are an error in that log.
  it('that listens to the log of its SDK hears nothing new, and names agents by its service', async () => {
    const { env } = await otlpReceiver();
    const app = `${STARTED}
      runAgent();
      // NodeSDK 1.x finds even OTEL_SERVICE_NAME a moment later.
      await new Promise((resolve) => setTimeout(resolve, 200));
      runAgent(undefined, '');
      await sdk.shutdown();`;
    const given = { ...env, OTEL_LOG_LEVEL: 'warn' };
    const without = await runApp(surroundings, app, { env: given, registered: false });
    const { stdout, stderr, learned } = await runApp(surroundings, app, { env: given });
    expect({ stdout, stderr }).toEqual({ stdout: without.stdout, stderr: without.stderr });
    expect(learned).toEqual({ ...FAN_OUT, 'an-agent-service': FAN_OUT.planner });
  });

  it('that just ends, without a word to its SDK, is learned from', async () => {
    const { env } = await otlpReceiver();
    const app = `${STARTED} runAgent();`;
    expect(await runApp(surroundings, app, { env })).toMatchObject({ stderr: '', learned: FAN_OUT });
  });

  it('that asked for a provider of ours too is exported once, by its own, and learned from once', async () => {
    const { env, spans, resources } = await otlpReceiver();
    const app = `${PARTS}
      import * as node from '@opentelemetry/sdk-node';
      const early = api.trace.getTracer('early');
      const sdk = new node.NodeSDK({ serviceName: 'its-own' });
      sdk.start();
      early.startActiveSpan('outer', { startTime: 1, root: true }, (outer) => {
        early.startSpan('inner', { startTime: 2 }).end(3);
        outer.end(4);
      });
      runAgent(early);
      await sdk.shutdown();`;
    const result = await runApp(surroundings, app, {
      env: { ...env, SPANPLAN_REGISTER_PROVIDER: '1' },
    });
    expect(result).toEqual({ stdout: '', stderr: '', learned: FAN_OUT });
    expect(spans().map(({ name }) => name)).toEqual(['inner', 'outer', ...SPANS]);
    expect(spans()[0]?.parent).toBe('outer');
    expect(resources('service.name')).toEqual(['its-own']);
  });

  it('that says no traces are exported registers no provider, so ours is made where asked for', async () => {
    const env = { OTEL_TRACES_EXPORTER: 'none', SPANPLAN_REGISTER_PROVIDER: '1' };
    const result = await runApp(surroundings, SHUT_DOWN, { env });
    expect(result).toMatchObject({ stdout: '', learned: FAN_OUT });
  });
});
