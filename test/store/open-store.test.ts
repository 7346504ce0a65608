import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openStore } from '../../src/store/open-store.ts';
import { freshPrefix, redisUrl } from '../support/redis.ts';
import { change } from './changes.ts';

const directory = mkdtempSync(join(tmpdir(), 'spanplan-open-'));

describe('openStore', () => {
  it.each([
    ['memory:', 'MemoryPlanStore'],
    [`lmdb:${directory}/plans`, 'LmdbPlanStore'],
    [redisUrl(), 'RedisPlanStore'],
    [`redis+unix://${redisUrl().slice('unix:'.length)}`, 'RedisPlanStore'],
  ])('%s gives a store that works', async (url, name) => {
    const store = await openStore(url, { keyPrefix: freshPrefix(), maxRunsPerAgent: 1 });
    onTestFinished(async () => {
      await store.close();
      rmSync(directory, { recursive: true, force: true });
    });
    expect(store.constructor.name).toBe(name);
    await store.apply('planner', [change('r1', [['a', 'b']]), change('r2', [['a', 'b']])]);
    expect((await store.load('planner'))?.revision).toBe(1);
    expect(await store.runs('planner')).toHaveLength(1);
  });

  it.each(['', 'plans', 'http://s3cret@h', 'lmdb:', 'redis://s3cret@:x'])('refuses %s', async (url) => {
    const error = await openStore(url).catch((reason) => reason);
    expect(error).toBeInstanceOf(RangeError);
    expect(error.message).not.toContain('s3cret');
  });

  it('loads no driver before it is used, and none of another store', async () => {
    const code = `
      import { createRequire } from 'node:module';
      const { openStore } = await import(${JSON.stringify(new URL('../../src/store/open-store.ts', import.meta.url).href)});
      const loaded = () => Object.keys(createRequire('file:///x.js').cache);
      const drivers = () => ['ioredis', 'lmdb'].filter((name) => loaded().some((file) => file.includes('/node_modules/' + name + '/')));
      const store = await openStore('redis://127.0.0.1:1');
      const before = drivers();
      await store.load('x').catch(() => undefined);
      console.log(JSON.stringify([before, drivers()]));
      await store.close();`;
    const args = ['--import', 'tsx', '--input-type=module', '-e', code];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    expect(JSON.parse(stdout)).toEqual([[], ['ioredis']]);
  });
});
