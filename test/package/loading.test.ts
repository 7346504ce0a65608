import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { builtPackage } from '../support/built-package.ts';

// What a host process loads with the built package, and how it may load it.

const run = promisify(execFile);

let folder: string;
beforeAll(async () => {
  folder = await builtPackage();
}, 60_000);

/** Runs a module in a process of its own, where `spanplan` is the built package. */
async function inProcess(source: string, type: 'module' | 'commonjs' = 'module'): Promise<string> {
  const { stdout } = await run(process.execPath, [`--input-type=${type}`, '-e', source], { cwd: folder });
  return stdout;
}

/** The URLs of all modules but Node's own that `source` loads. */
async function loadedBy(source: string): Promise<readonly string[]> {
  const hook = `import { writeSync } from 'node:fs';
    export async function load(url, context, next) { writeSync(1, url + '\\n'); return next(url, context); }`;
  const program = `import { register } from 'node:module';
    register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hook)}));
    await import('data:text/javascript,');
    const { FanoutSpanProcessor, MemoryPlanStore, PlanReader, RedisPlanStore, LmdbPlanStore } = ${source};`;
  const urls = (await inProcess(program)).split('\n');
  return urls.filter((url) => url.startsWith('file:'));
}

function packagesOf(urls: readonly string[]): readonly string[] {
  const names = urls.map((url) => url.replace(/^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\/.*$/, '$1'));
  return [...new Set(names)].sort();
}

/** Of the package, what its files are made of: `plan-reader` for `src/plan-reader.ts`. */
function modulesOf(urls: readonly string[]): readonly string[] {
  const files = urls.filter((url) => /\/spanplan\/dist\/.*\.js$/.test(url));
  const lines = files.flatMap((url) => readFileSync(new URL(url), 'utf8').split('\n'));
  return lines.flatMap((line) => /^\/\/ src\/(.*)\.ts$/.exec(line)?.[1] ?? []);
}

describe('importing', () => {
  it('spanplan loads no package but the API', async () => {
    expect(packagesOf(await loadedBy(`await import('spanplan')`))).toEqual([
      '@opentelemetry/api',
      'spanplan',
    ]);
  });

  it('spanplan loads few files, as each takes its time', async () => {
    const urls = await loadedBy(`await import('spanplan')`);
    expect(urls.filter((url) => url.includes('/spanplan/dist/')).length).toBeLessThanOrEqual(10);
  });

  it('spanplan, and making a processor and a reader on a URL, connects to nothing and loads no client', async () => {
    const urls = await loadedBy(`await import('spanplan');
      new FanoutSpanProcessor({ store: 'redis://127.0.0.1:1' });
      new PlanReader({ store: 'redis://127.0.0.1:1' })`);
    expect(packagesOf(urls)).toEqual(['@opentelemetry/api', 'spanplan']);
  });

  it('spanplan/reader loads nothing of the writing side', async () => {
    const urls = await loadedBy(`await import('spanplan/reader')`);
    expect(packagesOf(urls)).toEqual(['@opentelemetry/api', 'spanplan']);
    const modules = modulesOf(urls);
    expect(modules).toContain('plan-reader');
    const writing = /^(trace|conventions|learner|source)\/|pipeline|processor|ledger|queue|merge|apply-runs$/;
    // This one is small, and lies in a file that all share.
    expect(modules.filter((module) => writing.test(module))).toEqual(['conventions/attribute-names']);
  });

  it('spanplan/redis loads no other store', async () => {
    const modules = modulesOf(await loadedBy(`await import('spanplan/redis')`));
    expect(modules).toContain('store/redis-plan-store');
    expect(modules.filter((module) => /lmdb|memory/.test(module))).toEqual([]);
  });

  it('spanplan/lmdb loads no other store', async () => {
    const urls = await loadedBy(`await import('spanplan/lmdb')`);
    expect(modulesOf(urls)).toContain('store/lmdb-plan-store');
    // Whoever opens a store by its URL tells the kinds of URLs apart.
    const others = modulesOf(urls).filter((module) => /redis|memory/.test(module));
    expect(others).toEqual(['store/redis/redis-url']);
    expect(packagesOf(urls)).not.toContain('ioredis');
  });
});

describe('a store from a URL loads its own client, once it is used', () => {
  it.each([
    ['memory:', []],
    ['lmdb:./.spanplan-test', ['lmdb']],
  ])('%s', async (url, clients) => {
    const urls = await loadedBy(`await import('spanplan');
      const reader = new PlanReader({ store: ${JSON.stringify(url)} });
      await reader.get('planner');
      await reader.close()`);
    const others = packagesOf(urls).filter((name) => name !== 'spanplan' && name !== '@opentelemetry/api');
    expect(others.filter((name) => ['ioredis', 'lmdb'].includes(name))).toEqual(clients);
  });
});

describe('the built package', () => {
  it('runs from CommonJS by require(), with every subpath', async () => {
    const told = await inProcess(
      `const spanplan = require('spanplan');
       const { RedisPlanStore } = require('spanplan/redis');
       const { LmdbPlanStore } = require('spanplan/lmdb');
       const { PlanReader } = require('spanplan/reader');
       const store = new spanplan.MemoryPlanStore();
       const processor = new spanplan.FanoutSpanProcessor({ store });
       processor.shutdown().then(() => console.log(PlanReader === spanplan.PlanReader,
         typeof RedisPlanStore, typeof LmdbPlanStore));`,
      'commonjs',
    );
    expect(told).toBe('true function function\n');
  });

  it('is one package whether it is imported or required, so that a StoreError is one everywhere', async () => {
    const told = await inProcess(
      `const required = require('spanplan');
       import('spanplan').then((imported) => console.log(imported.StoreError === required.StoreError));`,
      'commonjs',
    );
    expect(told).toBe('true\n');
  });

  it('lets the process end though nobody shuts it down', async () => {
    const started = performance.now();
    await inProcess(
      `import { FanoutSpanProcessor, PlanReader } from 'spanplan';
       const processor = new FanoutSpanProcessor({ store: 'memory:' });
       await new PlanReader({ store: processor.store }).get('planner');`,
    );
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});
