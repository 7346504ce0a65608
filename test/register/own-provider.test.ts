import { cp, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { builtPackage, REPOSITORY } from '../support/built-package.ts';
import { PARTS, runApp, type Surroundings } from './registered-app.ts';

// SPANPLAN_REGISTER_PROVIDER=1: a provider for applications whose framework makes spans, but that have none.

let here: Surroundings;
beforeAll(async () => {
  const folder = await builtPackage();
  here = { node: process.execPath, folder, spanplan: join(folder, 'node_modules/spanplan') };
}, 60_000);

const FAN_OUT = { planner: [['fetch', 'search']] };
const TOOLS = ['execute_tool search', 'execute_tool fetch', 'execute_tool summarize'];

/** An OTLP/HTTP receiver, and the environment that points an exporter at it. */
async function receiver() {
  const spans: string[] = [];
  const services = new Set<string>();
  const server = createServer(async (request, response) => {
    const { resourceSpans } = JSON.parse(await text(request));
    for (const { resource, scopeSpans } of resourceSpans) {
      for (const { key, value } of resource.attributes) {
        if (key === 'service.name') services.add(value.stringValue);
      }
      for (const scope of scopeSpans) for (const { name } of scope.spans) spans.push(name);
    }
    response.setHeader('content-type', 'application/json').end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const env = {
    SPANPLAN_REGISTER_PROVIDER: '1',
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    OTEL_SERVICE_NAME: 'an-agent-service',
  };
  return { spans, services, env };
}

describe('where the application has no provider', () => {
  it('exports by the environment and learns, from the first line on', async () => {
    const { spans, services, env } = await receiver();
    const { stderr, learned } = await runApp(here, `${PARTS} runAgent();`, { env });
    expect({ stderr, learned }).toEqual({ stderr: '', learned: FAN_OUT });
    expect(spans).toEqual([...TOOLS, 'invoke_agent planner']);
    expect([...services]).toEqual(['an-agent-service']);
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
    const env = { SPANPLAN_REGISTER_PROVIDER: '1', OTEL_TRACES_EXPORTER: 'none' };
    expect(await runApp(here, app, { env })).toEqual({ stdout: '', stderr: '', learned: FAN_OUT });
  });
});

describe('where the application registers its own after all', () => {
  it('gives way: all is exported by that one only, whenever its tracer was asked for', async () => {
    const { spans, env } = await receiver();
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
    const { stdout, stderr, learned } = await runApp(here, app, { env });
    const exported = stdout.split('\n').flatMap((line) => /^first \["([^"]+)/.exec(line)?.[1] ?? []);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^true\n/);
    expect(exported).toEqual(['early', 'inner', 'outer', ...TOOLS, 'invoke_agent planner']);
    expect(spans).toEqual(['ours']);
    expect(learned).toEqual(FAN_OUT);
  });

  it('stays where something else is registered', async () => {
    const { spans, env } = await receiver();
    const app = `${PARTS}
      const told = [];
      api.diag.setLogger({ error: (message) => told.push(message), warn() {}, info() {}, debug() {}, verbose() {} });
      api.propagation.setGlobalPropagator({ inject() {}, extract: (context) => context, fields: () => [] });
      runAgent();
      await null;
      console.log(api.trace.getTracerProvider().getDelegate().constructor.name, told.length);`;
    const { stdout, learned } = await runApp(here, app, { env });
    expect(stdout).toBe('OwnProvider 0\n');
    expect(spans).toHaveLength(4);
    expect(learned).toEqual(FAN_OUT);
  });
});

it('says what to install where the SDK is not there, and the application runs', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'spanplan-bare-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [from, name] of [
    [here.spanplan, 'spanplan'],
    [join(REPOSITORY, 'node_modules/@opentelemetry/api'), '@opentelemetry/api'],
  ] as const) {
    await cp(from, join(folder, 'node_modules', name), { recursive: true });
  }
  const bare = { node: process.execPath, folder, spanplan: join(folder, 'node_modules/spanplan') };
  const env = { SPANPLAN_REGISTER_PROVIDER: '1' };
  const { stdout, stderr } = await runApp(bare, `console.log('runs')`, { env });
  expect(stdout).toBe('runs\n');
  expect(stderr).toMatch(
    /^spanplan: .*npm install @opentelemetry\/sdk-trace-base @opentelemetry\/exporter-trace-otlp-http\n$/,
  );
});
