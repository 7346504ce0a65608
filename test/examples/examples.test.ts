import { type ChildProcess, execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RedisPlanStore } from '../../src/store/redis-plan-store.ts';
import { spanplan } from '../cli/cli-process.ts';
import { REPOSITORY } from '../support/built-package.ts';
import { maximalGroups, plansOf } from '../support/maximal-groups.ts';
import { startRedisServer } from '../support/redis-server.ts';

// Each example runs with its one command, and says what it promises.

const TSX = join(createRequire(import.meta.url).resolve('tsx/package.json'), '../dist/cli.mjs');

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Running {
  readonly process: ChildProcess;
  readonly ended: Promise<Ran>;
}

function start(args: readonly string[], env: NodeJS.ProcessEnv): Running {
  const { REDIS_URL: _, ...inherited } = process.env;
  const options = { cwd: REPOSITORY, env: { ...inherited, ...env } };
  const running = promisify(execFile)(process.execPath, args, options);
  return {
    process: running.child,
    ended: running.then(
      (ran) => ({ code: 0, ...ran }),
      (failed: Ran) => failed,
    ),
  };
}

function runExample(name: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  return start([TSX, join('examples', name), ...args], env).ended;
}

/** `npm run demo`, without npm in between. */
async function startDemo(url: string, env: NodeJS.ProcessEnv = {}): Promise<Running> {
  const { scripts } = JSON.parse(await readFile(join(REPOSITORY, 'package.json'), 'utf8'));
  const [node, ...args] = (scripts.demo as string).split(' ');
  expect(node).toBe('node');
  return start([...args, url], env);
}

/** Where the demo says that plans can be asked for. */
function adminOf(stdout: string): string {
  return /(http:\/\/127\.0\.0\.1:\d+)\/v1\/plans +where the plans are\n/.exec(stdout)?.[1] ?? 'nowhere';
}

let store: string;
beforeAll(async () => {
  store = `lmdb:${await mkdtemp(join(tmpdir(), 'spanplan-demo-'))}`;
});
afterAll(() => rm(store.slice('lmdb:'.length), { recursive: true, force: true }));

describe('the demo', { timeout: 60_000 }, () => {
  const SHOWN = [
    /OTEL_EXPORTER_OTLP_ENDPOINT=http:\/\/127\.0\.0\.1:\d+ +all that the agent is told\n/,
    / {2}trip-planner +─+ +\d+ ms\n/,
    / {4}flights +█+ +\d+ ms\n/,
    / {6}local-guide +─+ +\d+ ms\n/,
    / {8}museums +█+ +\d+ ms\n/,
    /trip-planner\n {4}flights \+ hotels \+ weather +fanout:\S+\n {4}flights \+ hotels +part of the one above\n/,
    /local-guide\n {4}museums \+ restaurants +fanout:\S+\n/,
    /first {2}flights \+ hotels \+ weather +seen together\n {2}then {3}local_guide +unknown tool\n/,
  ];

  /** In how many runs the store has seen each group; asked by the command that the demo names in the end. */
  async function seen(stdout: string): Promise<string> {
    const [, command = ''] = /\n {2}npx spanplan (.+)\n$/.exec(stdout) ?? [];
    const shown = await spanplan(command.split(' '), { cwd: REPOSITORY });
    return shown.stdout.replace(/\d{4}-.* UTC/g, 'date');
  }

  it('shows what was learned from each trip, the trace, the plan, and where that is kept', async () => {
    const started = performance.now();
    const { code, stdout, stderr } = await (await startDemo(store)).ended;
    expect(performance.now() - started).toBeLessThan(30_000);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/Lisbon +\d+ ms {2}flights \+ hotels, museums \+ restaurants\n/);
    expect(stdout).toMatch(/Oslo +\d+ ms {2}flights \+ hotels \+ weather\n/);
    expect(stdout).toMatch(/Kyoto +\d+ ms {2}nothing new\n/);
    for (const part of SHOWN) expect(stdout).toMatch(part);
    expect(await seen(stdout)).toMatch(
      / 3 {2}date {2}museums[\s\S]* 2 {2}date {2}flights \+ hotels \+ weather\n/,
    );
    await expect(fetch(`${adminOf(stdout)}/healthz`)).rejects.toThrow('fetch failed');

    // And so does the README, but for what differs from time to time.
    const readme = await readFile(join(REPOSITORY, 'README.md'), 'utf8');
    const [, block = 'none'] = /What `npm run demo` shows.*\n\n```\n([\s\S]*?)```/.exec(readme) ?? [];
    const constant = (text: string) => text.replace(/[─█░]+|\d+ ms|:\d{4,5}(?=\W)| (?= |$)/gm, '');
    expect(constant(stdout)).toContain(constant(block));
  });

  it('adds to what it learned before, whatever the shell sets, and is plain text where there is no terminal', async () => {
    const { code, stdout, stderr } = await (
      await startDemo(store, {
        OTEL_TRACES_SAMPLER: 'always_off',
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:9',
        SPANPLAN_CONFIG: 'nowhere.yaml',
      })
    ).ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.match(/nothing new/g)).toHaveLength(3);
    for (const part of SHOWN) expect(stdout).toMatch(part);
    expect(await seen(stdout)).toMatch(/ 4 {2}date {2}flights \+ hotels \+ weather\n/);
    expect(stdout).not.toContain('\u001b');
    expect(stdout).not.toContain('\r');
  });

  it('has an agent that knows nothing of spanplan', async () => {
    for (const name of ['agent.ts', 'trip-planner.ts', 'scripted-model.ts']) {
      const source = await readFile(join(REPOSITORY, 'examples/demo', name), 'utf8');
      const imported = [...source.matchAll(/from '(.+)'/g)].map(([, module]) => module);
      expect(imported).not.toEqual([]);
      expect(imported.filter((module) => /spanplan|src|demo|sidecar/.test(module ?? ''))).toEqual([]);
    }
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends its sidecar on %s', async (signal, status) => {
    const running = await startDemo('memory:');
    let shown = '';
    await new Promise<void>((resolve) => {
      running.process.stdout?.on('data', (text: string) => {
        shown += text;
        if (adminOf(shown) !== 'nowhere') resolve();
      });
    });
    expect((await fetch(`${adminOf(shown)}/healthz`)).status).toBe(200);
    running.process.kill(signal);
    const { code, stderr } = await running.ended;
    expect({ code, stderr }).toEqual({
      code: status,
      stderr: `Interrupted by ${signal}; ending the sidecar …\n`,
    });
    await expect(fetch(`${adminOf(shown)}/healthz`)).rejects.toThrow('fetch failed');
  });

  it('says what is wrong where its store cannot be reached', async () => {
    const { code, stdout, stderr } = await (await startDemo('redis://user:hunter2@127.0.0.1:1')).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^The sidecar cannot answer: redis:\/\/127\.0\.0\.1:1\S* cannot be reached.*npm run demo\n$/,
    );
    expect(stdout + stderr).not.toContain('hunter2');
  });

  it('tells what its sidecar said where that does not start', async () => {
    const { code, stderr } = await (await startDemo('a-store')).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^spanplan serve ended with status 1, and said:\n[\s\S]*--store: expected lmdb:PATH/,
    );
    expect(stderr).toMatch(/redis:\/\/localhost:6379.*npm run demo\n$/);
  });
});

describe('reading plans', () => {
  it('runs the calls of the demo in the batches that its plan allows', async () => {
    const { code, stdout, stderr } = await runExample('read-plans.ts', [store]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('flights + hotels + weather');
    expect(stdout).toContain('not that anyone has seen');
    expect(stdout).toContain('Ran at once: weather, hotels, flights\nRan at once: local_guide\n');
  });

  it('says how to make a plan where there is none', async () => {
    const { code, stderr } = await runExample('read-plans.ts', ['memory:']);
    expect(code).toBe(1);
    expect(stderr).toContain('npm run demo');
  });
});

describe('in process with Redis', () => {
  it('leaves the plan in Redis', async () => {
    const server = await startRedisServer();
    const { code, stdout, stderr } = await runExample('in-process-redis.ts', [], { REDIS_URL: server.url });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('Learned from 4 spans.');
    const redis = new RedisPlanStore({ url: server.url });
    const plans = await plansOf(redis);
    expect(Object.keys(plans)).toEqual(['assistant']);
    expect(maximalGroups(plans)).toEqual([['calendar', 'location']]);
    await redis.close();
    await server.dispose();
  });

  it('says what to set', async () => {
    const { code, stderr } = await runExample('in-process-redis.ts');
    expect(code).toBe(2);
    expect(stderr).toContain('REDIS_URL');
  });
});

it('a custom convention makes a plan of spans that nothing else knows', async () => {
  const { code, stdout, stderr } = await runExample('custom-convention.ts');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(stdout)).toMatchObject({
    agent_id: 'cook',
    parallel_groups: [{ tool_names: ['boil', 'chop'] }],
  });
});
