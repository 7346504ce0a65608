import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { open } from 'lmdb';
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { keyOf } from '../../src/store/lmdb/lmdb-environment.ts';
import { OpeningLock } from '../../src/store/lmdb/opening-lock.ts';
import { LmdbPlanStore } from '../../src/store/lmdb-plan-store.ts';
import { change } from './changes.ts';
import { describePlanStore, sleep } from './contract.ts';

const directory = mkdtempSync(join(tmpdir(), 'spanplan-lmdb-'));
afterAll(() => rmSync(directory, { recursive: true }));
let places = 0;
const freshPath = () => join(directory, 'made', `place.${places++}`);

describePlanStore('LmdbPlanStore', () => {
  let path = '';
  return {
    fresh: () => {
      path = freshPath();
    },
    make: (limits) => new LmdbPlanStore({ path, pollMillis: 50, ...limits }),
    isShared: true,
  };
});

/** Runs code in another process; `LmdbPlanStore`, `change` and `path` are defined in it. */
function scriptFor(path: string, code: string): string[] {
  const from = (file: string) => JSON.stringify(new URL(file, import.meta.url).href);
  const prelude = `
    const { LmdbPlanStore } = await import(${from('../../src/store/lmdb-plan-store.ts')});
    const { change } = await import(${from('changes.ts')});
    const path = ${JSON.stringify(path)};`;
  return ['--import', 'tsx', '--input-type=module', '-e', prelude + code];
}

describe('several processes on one directory', () => {
  it('lose nothing among them', async () => {
    const path = freshPath();
    await Promise.all(
      [0, 1, 2, 3].map((writer) =>
        promisify(execFile)(
          process.execPath,
          scriptFor(
            path,
            `const store = new LmdbPlanStore({ path });
             for (let i = 0; i < 40; i++) {
               await store.apply('planner', [change('w${writer}-' + i, [['w${writer}', 't' + i], ['a', 'b']], { at: i })]);
             }
             await store.close();`,
          ),
        ),
      ),
    );
    const store = new LmdbPlanStore({ path });
    onTestFinished(() => store.close());
    expect((await store.load('planner'))?.plan.parallel_groups).toHaveLength(161);
    const support = await store.support('planner');
    expect(support.find((group) => group.toolNames.join() === 'a,b')?.runs).toBe(160);
    expect(await store.runs('planner')).toHaveLength(100);
  }, 30_000);

  it('lose nothing while some of them open and close it all the time', async () => {
    const path = freshPath();
    const writes = 300;
    await Promise.all(
      ['stays', 'stays', 'reopens', 'reopens', 'reopens'].map((how, writer) =>
        promisify(execFile)(
          process.execPath,
          scriptFor(
            path,
            `let store = new LmdbPlanStore({ path });
             for (let i = 0; i < ${writes}; i++) {
               await store.apply('planner', [change('w${writer}-' + i, [['a', 'b']], { at: i })]);
               if ('${how}' === 'stays') continue;
               await store.close();
               store = new LmdbPlanStore({ path });
             }
             await store.close();`,
          ),
        ),
      ),
    );
    const store = new LmdbPlanStore({ path });
    onTestFinished(() => store.close());
    expect(await store.support('planner')).toMatchObject([{ runs: 5 * writes }]);
    expect(readdirSync(path).sort()).toEqual(['data.mdb', 'lock.mdb']);
  }, 30_000);

  it('see all of what a process wrote that was killed, or nothing', async () => {
    const path = freshPath();
    const child = spawn(
      process.execPath,
      scriptFor(
        path,
        `const store = new LmdbPlanStore({ path });
         for (let i = 0; ; i++) {
           await store.apply('planner', [change('r' + i, [['a', 't' + i]], { at: i })]);
           console.log(i);
         }`,
      ),
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let last = -1;
    for await (const chunk of child.stdout) {
      last = Number(String(chunk).trim().split('\n').at(-1));
      if (last > 20) break;
    }
    child.kill('SIGKILL');
    await once(child, 'close');
    const store = new LmdbPlanStore({ path });
    onTestFinished(() => store.close());
    const groups = (await store.load('planner'))?.plan.parallel_groups.length ?? 0;
    expect(groups).toBeGreaterThan(last);
    expect(await store.support('planner')).toHaveLength(groups);
    expect(await store.runs('planner')).toHaveLength(Math.min(100, groups));
    expect(await store.apply('planner', [change('next', [['x', 'y']])])).toMatchObject({ groupsAdded: 1 });
  }, 20_000);
});

describe('several stores of one process on one directory', () => {
  /** In a process of its own, because what must not happen is that its event loop stops. */
  it('are opened and closed while one of them writes', async () => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      scriptFor(
        freshPath(),
        `const store = new LmdbPlanStore({ path });
         let written = 0;
         let isDone = false;
         const writing = (async () => {
           while (!isDone) await store.apply('planner', [change('own' + written++, [['a', 'b']])]);
         })();
         for (let i = 0; i < 50; i++) {
           const other = new LmdbPlanStore({ path: i % 2 === 0 ? path : path + '/../' + path.split('/').at(-1) });
           await other.load('planner');
           await other.apply('planner', [change('other' + i, [['a', 'b']])]);
           await other.close();
         }
         isDone = true;
         await writing;
         const [{ runs }] = await store.support('planner');
         await store.close();
         console.log(runs - written);`,
      ),
      { timeout: 20_000 },
    );
    expect(stdout.trim()).toBe('50');
  }, 30_000);

  it('can come while the last one leaves', async () => {
    const path = freshPath();
    const first = new LmdbPlanStore({ path });
    await first.apply('planner', [change('r1', [['a', 'b']])]);
    const left = first.close();
    const second = new LmdbPlanStore({ path });
    onTestFinished(() => second.close());
    expect(await second.apply('planner', [change('r2', [['a', 'b']])])).toMatchObject({ applied: 1 });
    await left;
    expect(await second.support('planner')).toMatchObject([{ runs: 2 }]);
  });
});

describe('LmdbPlanStore', () => {
  it('writes nothing while another process opens the directory', async () => {
    const path = freshPath();
    const store = new LmdbPlanStore({ path });
    onTestFinished(() => store.close());
    await store.apply('planner', [change('r1', [['a', 'b']])]);
    const lock = join(path, 'opening.lock');
    writeFileSync(lock, 'another process');
    const error = await store.apply('planner', [change('r2', [['a', 'b']])]).catch((reason) => reason);
    expect(error).toMatchObject({ code: 'unavailable' });
    expect(error.message).toContain('locked by another process');
    expect(await store.support('planner')).toMatchObject([{ runs: 1 }]);
    const waiting = store.apply('planner', [change('r3', [['a', 'b']])]);
    await sleep(50);
    rmSync(lock);
    expect(await waiting).toMatchObject({ applied: 1 });
    expect(await store.support('planner')).toMatchObject([{ runs: 2 }]);
  });

  it('waits for another process that opens the directory too', async () => {
    const path = freshPath();
    mkdirSync(path, { recursive: true });
    const lock = join(path, 'opening.lock');
    writeFileSync(lock, 'another process');
    const store = new LmdbPlanStore({ path });
    onTestFinished(() => store.close());
    const loading = store.load('planner');
    await sleep(50);
    expect(readdirSync(path)).toEqual(['opening.lock']);
    rmSync(lock);
    expect(await loading).toBeUndefined();
  });

  it('is closed while no other process opens the directory, or a second later all the same', async () => {
    const path = freshPath();
    const lock = join(path, 'opening.lock');
    for (const isLeft of [false, true]) {
      const store = new LmdbPlanStore({ path });
      await store.load('planner');
      writeFileSync(lock, 'another process');
      let isClosed = false;
      const closing = store.close().then(() => {
        isClosed = true;
      });
      await sleep(50);
      expect(isClosed).toBe(false);
      if (!isLeft) rmSync(lock);
      await closing;
    }
  });

  it('is closed by a process that ends without closing it while no other process opens the directory', async () => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      scriptFor(
        freshPath(),
        `const { existsSync } = await import('node:fs');
         const locked = () => ['', '-closed'].map((end) => existsSync(path + end + '/opening.lock'));
         const say = (when) => process.on('exit', () => console.log(when, ...locked()));
         say('while LMDB closes');
         const store = new LmdbPlanStore({ path });
         await store.apply('planner', [change('r1', [['a', 'b']])]);
         const closed = new LmdbPlanStore({ path: path + '-closed' });
         await closed.load('planner');
         await closed.close();
         say('at the end');`,
      ),
    );
    expect(stdout.trim().split('\n')).toEqual(['while LMDB closes true false', 'at the end false false']);
  });

  it('is opened again where others took the lock meanwhile', async () => {
    const acquire = vi.spyOn(OpeningLock.prototype, 'acquire');
    vi.spyOn(OpeningLock.prototype, 'isOwnedBy').mockReturnValueOnce(false);
    onTestFinished(() => {
      vi.restoreAllMocks();
    });
    const store = new LmdbPlanStore({ path: freshPath() });
    expect(await store.apply('planner', [change('r1', [['a', 'b']])])).toMatchObject({ applied: 1 });
    expect(acquire).toHaveBeenCalledTimes(2);
    await store.close();
  });

  it('does not write later what it said it could not write', async () => {
    const path = freshPath();
    const store = new LmdbPlanStore({ path });
    onTestFinished(() => store.close());
    await store.load('planner');
    const lmdb = JSON.stringify(import.meta.resolve('lmdb'));
    const holder = spawn(
      process.execPath,
      scriptFor(
        path,
        `const { open } = await import(${lmdb});
         open({ path, noSubdir: false, maxDbs: 16 }).transactionSync(() => {
           console.log('held');
           Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_500);
         });`,
      ),
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await once(holder.stdout, 'data');
    await expect(store.apply('planner', [change('r1', [['a', 'b']])])).rejects.toMatchObject({
      code: 'unavailable',
    });
    await once(holder, 'close');
    await sleep(50);
    expect(await store.load('planner')).toBeUndefined();
    expect(await store.apply('planner', [change('r1', [['a', 'b']])])).toMatchObject({ applied: 1 });
  });

  it('is opened again once what was in the way is gone', async () => {
    const path = join(directory, 'in-the-way');
    writeFileSync(path, '');
    const store = new LmdbPlanStore({ path });
    onTestFinished(() => store.close());
    await expect(store.load('planner')).rejects.toMatchObject({ code: 'unavailable' });
    rmSync(path);
    expect(await store.apply('planner', [change('r1', [['a', 'b']])])).toMatchObject({ applied: 1 });
  });

  it('never overwrites a plan that it cannot read', async () => {
    const path = freshPath();
    const store = new LmdbPlanStore({ path });
    onTestFinished(() => store.close());
    await store.apply('planner', [change('r1', [['a', 'b']])]);
    const plans = open<string, string>({ path, noSubdir: false, maxDbs: 16 }).openDB<string, string>({
      name: 'plans',
      encoding: 'string',
    });
    await plans.put(keyOf('planner'), '{"agent_id":"secret');
    for (const call of [
      () => store.load('planner'),
      () => store.apply('planner', [change('r2', [['a', 'b']])]),
    ]) {
      const error = await call().catch((reason) => reason);
      expect(error).toMatchObject({ code: 'corrupt_plan' });
      expect(error.message).toContain('"planner"');
      expect(error.message).not.toContain('secret');
    }
    expect(plans.get(keyOf('planner'))).toBe('{"agent_id":"secret');
    expect(await store.apply('other', [change('r1', [['a', 'b']], { agentId: 'other' })])).toMatchObject({
      applied: 1,
    });
    await store.forget('planner');
    expect(await store.apply('planner', [change('r2', [['a', 'b']])])).toMatchObject({ applied: 1 });
  });

  it('takes an agent in once all that was remembered of another one has expired', async () => {
    let now = 1_700_000_000_000;
    const store = new LmdbPlanStore({
      path: freshPath(),
      maxAgents: 1,
      maxRunsPerAgent: 0,
      appliedRunTtlSeconds: 60,
      now: () => now,
    });
    onTestFinished(() => store.close());
    await store.apply('a', [change('r1', [])]);
    await expect(store.apply('b', [change('r1', [])])).rejects.toMatchObject({ code: 'agent_limit' });
    now += 60_000;
    expect(await store.apply('b', [change('r1', [])])).toMatchObject({ applied: 1 });
  });

  it('tells of a change of its own once, though it finds it again where it looks for those of others', async () => {
    const path = freshPath();
    const store = new LmdbPlanStore({ path, pollMillis: 5 });
    const other = new LmdbPlanStore({ path });
    onTestFinished(async () => {
      await Promise.all([store.close(), other.close()]);
    });
    const told: string[] = [];
    store.subscribe(({ agentId }) => told.push(agentId));
    const heard = async (agentId: string) => {
      for (let i = 0; !told.includes(agentId); i++) {
        await other.apply(agentId, [change(`r${i}`, [[`tool${i}`, 'b']], { agentId })]);
        await sleep(5);
      }
    };
    await heard('before');
    await store.apply('own', [change('r1', [['a', 'b']], { agentId: 'own' })]);
    await heard('after');
    expect(told.filter((agentId) => agentId === 'own')).toHaveLength(1);
  });

  it('makes its directory for the user alone', async () => {
    const path = freshPath();
    const store = new LmdbPlanStore({ path });
    await store.agents();
    await store.close();
    expect(statSync(path).mode & 0o777).toBe(0o700);
  });

  it('names what it cannot open', async () => {
    const file = join(directory, 'file');
    writeFileSync(file, '');
    const store = new LmdbPlanStore({ path: file });
    const error = await store.load('planner').catch((reason) => reason);
    expect(error).toMatchObject({ code: 'unavailable' });
    expect(error.message).toContain(file);
    await store.close();
  });

  it('names the way out where lmdb is not installed', async () => {
    vi.doMock('lmdb', () => {
      throw new Error('Cannot find package');
    });
    onTestFinished(() => {
      vi.doUnmock('lmdb');
    });
    const store = new LmdbPlanStore({ path: freshPath() });
    const error = await store.load('planner').catch((reason) => reason);
    expect(error).toMatchObject({ code: 'unavailable' });
    expect(error.message).toContain('--store redis://');
  });
});
