import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openStore } from '../../src/store/open-store.ts';

// Applications in processes of their own, which know nothing of spanplan, with and without `--import spanplan/register`.

/** Where an application runs: the folder whose packages it finds, the built spanplan among them. */
export interface Surroundings {
  readonly node: string;
  readonly folder: string;
}

export interface AppResult {
  readonly stdout: string;
  readonly stderr: string;
  /** The tool names of each group, by agent. */
  readonly learned: Readonly<Record<string, readonly (readonly string[])[]>>;
}

interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly registered?: boolean;
  /** For `commonjs` its imports are made calls of require(). */
  readonly type?: 'module' | 'commonjs';
  /** Where to learn into; else into an LMDB of its own. */
  readonly redis?: { readonly url: string; readonly keyPrefix: string };
}

export async function runApp(
  { node, folder }: Surroundings,
  source: string,
  { env = {}, registered = true, type = 'module', redis }: RunOptions = {},
): Promise<AppResult> {
  const place = await mkdtemp(join(tmpdir(), 'spanplan-register-'));
  onTestFinished(() => rm(place, { recursive: true, force: true }));
  const store = redis?.url ?? `lmdb:${join(place, 'plans')}`;
  const preload = registered ? ['--import', 'spanplan/register'] : [];
  const settings = { SPANPLAN_STORE: store, ...(redis && { SPANPLAN_KEY_PREFIX: redis.keyPrefix }) };
  // What the machine's own environment says about exporting is not part of a test.
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('OTEL_'));
  const output = await new Promise<{ readonly stdout: string; readonly stderr: string }>(
    (resolve, reject) => {
      execFile(
        node,
        [...preload, `--input-type=${type}`, '-e', type === 'module' ? source : required(source)],
        { cwd: folder, env: { ...Object.fromEntries(own), ...settings, ...env }, timeout: 30_000 },
        (error, stdout, stderr) => (error === null ? resolve({ stdout, stderr }) : reject(error)),
      );
    },
  );
  return { ...output, learned: await learnedIn(store, redis?.keyPrefix) };
}

function required(source: string): string {
  return source.replace(/import \* as (\w+) from ('[^']+');/g, 'const $1 = require($2);');
}

async function learnedIn(url: string, keyPrefix = 'spanplan:'): Promise<AppResult['learned']> {
  const store = await openStore(url, { keyPrefix });
  const learned: Record<string, readonly (readonly string[])[]> = {};
  for (const agent of await store.agents()) {
    const stored = await store.load(agent);
    learned[agent] = stored?.plan.parallel_groups.map((group) => group.tool_names) ?? [];
  }
  await store.close();
  return learned;
}

/** What all applications have: ids in order, an exporter that prints whatever it is given, and an agent. */
export const PARTS = `
  import * as api from '@opentelemetry/api';
  let ids = 0;
  const id = (length) => (++ids).toString(16).padStart(length, '0');
  const idGenerator = { generateTraceId: () => id(32), generateSpanId: () => id(16) };
  const exporter = (name = 'first') => ({
    export(spans, done) {
      for (const span of spans) {
        const { traceId, spanId } = span.spanContext();
        const parent = span.parentSpanContext?.spanId ?? span.parentSpanId;
        const { attributes, startTime, endTime } = span;
        console.log(name, JSON.stringify([span.name, traceId, spanId, parent, attributes, startTime, endTime]));
      }
      done({ code: 0 });
    },
    async forceFlush() { console.log(name, 'flushed'); },
    async shutdown() { console.log(name, 'shut down'); },
  });
  function runAgent(tracer = api.trace.getTracer('an-agent'), name = 'planner') {
    const start = Date.UTC(2026, 10, 22, 13);
    const agent = tracer.startSpan('invoke_agent ' + name, { startTime: start,
      attributes: { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': name } });
    const inside = api.trace.setSpan(api.ROOT_CONTEXT, agent);
    for (const [tool, from, to] of [['search', 10, 60], ['fetch', 12, 50], ['summarize', 70, 90]]) {
      const attributes = { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': tool };
      tracer.startSpan('execute_tool ' + tool, { startTime: start + from, attributes }, inside).end(start + to);
    }
    agent.end(start + 100);
  }
`;
