import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RedisPlanStore } from '../../src/store/redis-plan-store.ts';
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

async function runExample(
  name: string,
  args: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<Ran> {
  const { REDIS_URL: _, ...inherited } = process.env;
  const options = { cwd: REPOSITORY, env: { ...inherited, ...env } };
  return promisify(execFile)(process.execPath, [TSX, join('examples', name), ...args], options).then(
    (ran) => ({ code: 0, ...ran }),
    (failed: Ran) => failed,
  );
}

let store: string;
beforeAll(async () => {
  store = `lmdb:${await mkdtemp(join(tmpdir(), 'spanplan-demo-'))}`;
});
afterAll(() => rm(store.slice('lmdb:'.length), { recursive: true, force: true }));

describe('the demo', () => {
  const PLAN = [
    /trip-planner\n {4}flights \+ hotels \+ weather +seen in \d+ runs\n {4}flights \+ hotels +part of the one above\n/,
    /local-guide\n {4}museums \+ restaurants +seen in \d+ runs\n/,
    /flights \+ hotels \+ weather {2}then {2}local_guide\n/,
  ];

  it('shows what it learned from each run, the trace, the plan, and where that is kept', async () => {
    const started = performance.now();
    const { code, stdout, stderr } = await runExample('demo/demo.ts', [store]);
    expect(performance.now() - started).toBeLessThan(20_000);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/Lisbon +\d+ ms {2}flights \+ hotels, museums \+ restaurants\n/);
    expect(stdout).toMatch(/Oslo +\d+ ms {2}flights \+ hotels \+ weather\n/);
    expect(stdout).toMatch(/Kyoto +\d+ ms {2}nothing new\n/);
    expect(stdout).toMatch(/ {2}trip-planner +─+ +\d+ ms\n/);
    expect(stdout).toMatch(/ {4}flights +█+ +\d+ ms\n/);
    expect(stdout).toMatch(/ {8}museums +█+ +\d+ ms\n/);
    for (const part of PLAN) expect(stdout).toMatch(part);
    expect(stdout).toMatch(/seen in 2 runs/);
    expect(stdout).toContain(`npx spanplan plan --store ${store}`);
  });

  it('adds to what it learned before, and is plain text where there is no terminal', async () => {
    const { code, stdout, stderr } = await runExample('demo/demo.ts', [store]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.match(/nothing new/g)).toHaveLength(3);
    for (const part of PLAN) expect(stdout).toMatch(part);
    expect(stdout).toMatch(/flights \+ hotels \+ weather +seen in 4 runs/);
    expect(stdout).not.toContain('\u001b');
    expect(stdout).not.toContain('\r');
  });
});

it('the demo says what is wrong where its store cannot be reached', async () => {
  const { code, stderr } = await runExample('demo/demo.ts', ['redis://user:hunter2@127.0.0.1:1']);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^redis:\/\/127\.0\.0\.1:1\S* cannot be reached.*\n$/);
  expect(stderr).not.toContain('hunter2');
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
