import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { context, trace } from '@opentelemetry/api';
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { BasicTracerProvider, BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { spanplan } from '../cli/cli-process.ts';
import { fanout } from '../cli/span-request.ts';
import { workFolder } from '../cli/work-folder.ts';
import { eventually, groupsOf, learnedPlan, postSpans } from '../sidecar/running-sidecar.ts';
import { redisClient } from '../support/redis.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { serve } from './sidecar-process.ts';

describe('real exporters, by environment variables only', () => {
  test('http/json, http/protobuf and grpc: the plan is learned, and everything arrives where it went before', async () => {
    const cwd = workFolder();
    const behind = await serve(['--store', 'memory:'], { cwd });
    const { ready, kill, ended } = await serve(['--forward', `http://${behind.ready.http}`], { cwd });
    expect(ready).toMatchObject({ store: 'lmdb:./.spanplan', forward: `http://${behind.ready.http}` });

    const exporters: Readonly<Record<string, SpanExporter>> = {
      json: new JsonExporter({ url: `http://${ready.http}/v1/traces` }),
      protobuf: new ProtobufExporter({ url: `http://${ready.http}/v1/traces` }),
      grpc: new GrpcExporter({ url: `http://${ready.grpc}` }),
    };
    for (const [name, exporter] of Object.entries(exporters)) await runAgent(name, exporter);
    for (const name of Object.keys(exporters)) {
      expect(groupsOf(await learnedPlan(`http://${ready.admin}`, name))).toEqual([['fetch', 'search']]);
      expect(groupsOf(await learnedPlan(`http://${behind.ready.admin}`, name))).toEqual([
        ['fetch', 'search'],
      ]);
    }
    kill('SIGTERM');
    expect(await ended).toBe(0);
    // What was learned stays, where the other commands find it.
    const { stdout } = await spanplan(['plan', 'grpc', '--json'], { cwd });
    expect(groupsOf(JSON.parse(stdout) as { parallel_groups: { tool_names: string[] }[] })).toEqual([
      ['fetch', 'search'],
    ]);
  });
});

describe('signals', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s writes what was just taken, and exits with 0',
    async (signal) => {
      const cwd = workFolder();
      const { ready, kill, ended, log } = await serve([], { cwd });
      expect((await postSpans(`http://${ready.http}`, fanout('planner', ['fetch', 'search']))).status).toBe(
        200,
      );
      kill(signal);
      expect(await ended).toBe(0);
      expect(log.at(-1)).toMatchObject({ level: 'info', spansNotLearned: 0, msg: 'stopped' });
      const { stdout } = await spanplan(['plan', 'planner', '--json'], { cwd });
      expect(stdout).toContain('fetch');
    },
  );

  test('what cannot be delivered in time is counted in one line, and makes the status 1', async () => {
    const cwd = workFolder();
    writeFileSync(join(cwd, 's.yaml'), 'service: {shutdown_timeout: 1s}\nexporters: {memory: }');
    const { ready, kill, ended, log } = await serve(
      ['--config', 's.yaml', '--forward', 'http://127.0.0.1:9'],
      { cwd },
    );
    await postSpans(`http://${ready.http}`, fanout('planner', ['fetch', 'search']));
    const began = performance.now();
    kill('SIGTERM');
    expect(await ended).toBe(1);
    expect(performance.now() - began).toBeLessThan(4_000);
    const lines = log.filter(({ requestsNotForwarded }) => requestsNotForwarded !== undefined);
    expect(lines).toMatchObject([{ level: 'error', requestsNotForwarded: 1, spansNotLearned: 0 }]);
  });

  test('what rests in the durable queue is not lost: status 0, and the next process delivers it', async () => {
    const cwd = workFolder();
    const port = await takenPort();
    writeFileSync(
      join(cwd, 's.yaml'),
      `service: {shutdown_timeout: 500ms}\nexporters: {memory: , otlphttp: {endpoint: "http://127.0.0.1:${port.number}", sending_queue: {storage: ./queue}}}`,
    );
    await port.free();
    const first = await serve(['--config', 's.yaml'], { cwd });
    await postSpans(`http://${first.ready.http}`, fanout('planner', ['fetch', 'search']));
    first.kill('SIGTERM');
    expect(await first.ended).toBe(0);
    expect(first.log.at(-1)).toMatchObject({ requestsKept: 1, requestsNotForwarded: 0 });

    const behind = await serve(['--store', 'memory:', '--http', `127.0.0.1:${port.number}`], { cwd });
    await serve(['--config', 's.yaml'], { cwd });
    expect(groupsOf(await learnedPlan(`http://${behind.ready.admin}`, 'planner'))).toEqual([
      ['fetch', 'search'],
    ]);
  });

  test('while it drains it is not ready; a second signal ends it at once', async () => {
    const cwd = workFolder();
    const { ready, kill, ended } = await serve(['--store', 'memory:', '--forward', 'http://127.0.0.1:9'], {
      cwd,
    });
    await postSpans(`http://${ready.http}`, fanout('planner', ['fetch', 'search']));
    kill('SIGTERM');
    const draining = await eventually(async () => {
      const answer = await fetch(`http://${ready.admin}/readyz`);
      return answer.status === 503 ? answer.json() : undefined;
    });
    expect(draining).toMatchObject({ status: 'draining' });
    await expect(
      postSpans(`http://${ready.http}`, fanout('planner', ['x', 'y'], 2)).then(({ status }) => status),
    ).rejects.toThrow();
    const began = performance.now();
    kill('SIGTERM');
    expect(await ended).toBe(1);
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});

describe('what cannot start says what to do, with status 1', () => {
  const free = ['--http', '127.0.0.1:0', '--grpc', '127.0.0.1:0', '--admin', '127.0.0.1:0'];

  test('a taken port', async () => {
    const port = await takenPort();
    for (const flag of ['--http', '--grpc', '--admin']) {
      const { status, stderr } = await spanplan(['serve', ...free, flag, `127.0.0.1:${port.number}`], {
        cwd: workFolder(),
      });
      expect(stderr).toMatch(
        new RegExp(`error: .*cannot listen on 127\\.0\\.0\\.1:${port.number} .*another process`),
      );
      expect(status).toBe(1);
    }
    await port.free();
  });

  test('a bad certificate', async () => {
    const cwd = workFolder();
    writeFileSync(join(cwd, 'a.pem'), 'no certificate');
    writeFileSync(
      join(cwd, 's.yaml'),
      'receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:0", tls: {cert_file: a.pem, key_file: a.pem}}}}}',
    );
    const { status, stderr } = await spanplan(['serve', '--config', 's.yaml', '--admin', '127.0.0.1:0'], {
      cwd,
    });
    expect(stderr).toMatch(/error: OTLP\/http: the certificate in a\.pem .*expected a certificate/);
    expect(status).toBe(1);
  });

  test('a wrong store', async () => {
    const cwd = workFolder();
    writeFileSync(join(cwd, 'file'), '');
    const { status, stderr } = await spanplan(['serve', ...free, '--store', 'lmdb:file'], { cwd });
    expect(stderr).toMatch(/error: The store at file cannot be opened: .*Give another store with --store/);
    expect(status).toBe(1);
  });

  test('a wrong password of Redis, which is not shown', async () => {
    const redis = await startRedisServer();
    onTestFinished(() => redis.dispose());
    const client = redisClient(redis.url);
    await client.config('SET', 'requirepass', 'right');
    client.disconnect();
    const store = `${redis.url}?pass=SECRET`;
    const { status, stderr } = await spanplan(['serve', ...free, '--store', store], { cwd: workFolder() });
    expect(stderr).toMatch(/error: .*(?:WRONGPASS|NOAUTH).*--store/);
    expect(stderr).not.toContain('SECRET');
    expect(status).toBe(1);
  });

  test('a configuration with mistakes, all of which are named', async () => {
    const cwd = workFolder();
    writeFileSync(
      join(cwd, 's.yaml'),
      'exporters:\n  redis:\n    endpoint: nowhere\nservice: {shutdown: 1s}',
    );
    const { status, stderr } = await spanplan(['serve', '--config', 's.yaml'], { cwd });
    expect(stderr).toContain('s.yaml:3:15: exporters.redis.endpoint: expected redis://HOST:PORT');
    expect(stderr).toContain('s.yaml:4:11: service.shutdown: unknown key; did you mean shutdown_timeout?');
    expect(status).toBe(1);
    expect((await spanplan(['serve', '--config', 'none.yaml'], { cwd })).stderr).toContain(
      'There is no file none.yaml',
    );
    expect(await spanplan(['serve', '--http', 'nonsense'], { cwd })).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('--http: receivers.otlp.protocols.http.endpoint: expected HOST:PORT'),
    });
  });
});

test('spanplan config prints what serve would run with, secrets masked', async () => {
  const cwd = workFolder();
  writeFileSync(join(cwd, 's.yaml'), `extensions: {admin: {auth: {tokens: [{token: "$\{env:T}"}]}}}`);
  const env = {
    T: 'SECRET',
    SPANPLAN_CONFIG: 's.yaml',
    SPANPLAN_STORE: 'redis://:SECRET@h',
    SPANPLAN_KEY_PREFIX: 'k:',
  };
  const { status, stdout } = await spanplan(['config', '--forward', 'https://user:SECRET@up'], { cwd, env });
  expect(status).toBe(0);
  expect(stdout).not.toContain('SECRET');
  expect(parse(stdout)).toMatchObject({
    exporters: {
      redis: { endpoint: 'redis://****@h', key_prefix: 'k:' },
      otlphttp: { endpoint: 'https://****@up' },
    },
    extensions: { admin: { auth: { tokens: [{ token: '****' }] } } },
  });
});

/** An agent that calls two tools at the same time, its spans exported as its SDK does. */
async function runAgent(name: string, exporter: SpanExporter): Promise<void> {
  const provider = new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });
  const tracer = provider.getTracer('agent');
  const attributes = (operation: string, key: string, value: string) => ({
    attributes: { 'gen_ai.operation.name': operation, [key]: value },
  });
  const agent = tracer.startSpan('invoke_agent', attributes('invoke_agent', 'gen_ai.agent.name', name));
  const inside = trace.setSpan(context.active(), agent);
  const tools = ['search', 'fetch'].map((tool) =>
    tracer.startSpan('execute_tool', attributes('execute_tool', 'gen_ai.tool.name', tool), inside),
  );
  await new Promise((resolve) => setTimeout(resolve, 20));
  for (const tool of tools) tool.end();
  agent.end();
  await provider.shutdown();
}

/** A port that another process listens on. */
async function takenPort() {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const free = () => new Promise<void>((resolve) => void server.close(() => resolve()));
  onTestFinished(() => void server.close());
  return { number: (server.address() as AddressInfo).port, free };
}
