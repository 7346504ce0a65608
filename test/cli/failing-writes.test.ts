import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { settleWrites } from '../../src/cli/settle-writes.ts';
import { WriteWatch } from '../../src/cli/write-watch.ts';
import { MemoryPlanStore } from '../../src/store/memory-plan-store.ts';
import { StoreError } from '../../src/store/plan-store.ts';
import { captureFile } from '../support/captures.ts';
import { freshPrefix, redisClient, redisUrl } from '../support/redis.ts';
import { command } from './in-process.ts';

describe('a stored plan that cannot be read', () => {
  it('is left alone and named, while the other agents are learned and shown', async () => {
    const prefix = freshPrefix();
    const redis = redisClient();
    const store = ['--store', redisUrl(), '--key-prefix', prefix];
    try {
      await redis.set(`${prefix}plan:researcher`, 'no plan');
      const learned = await command('learn', '--json', ...store, captureFile('openai-agents-multi'));
      expect(learned.status).toBe(1);
      expect(Object.keys(JSON.parse(learned.stdout).plans)).toEqual(['analyst', 'orchestrator']);
      expect(learned.stderr).toMatch(/not learned .*researcher.* spanplan forget AGENT/);
      expect(await redis.get(`${prefix}plan:researcher`)).toBe('no plan');

      const plans = await command('plan', ...store);
      expect(plans).toMatchObject({ status: 1, stderr: expect.stringContaining('researcher') });
      expect(plans.stdout).toContain('ask_analyst + ask_researcher');

      const forgotten = await command('forget', 'researcher', ...store);
      expect(forgotten).toMatchObject({
        status: 0,
        stdout: expect.stringContaining('a plan that could not be read'),
      });
      expect((await command('plan', ...store)).status).toBe(0);
    } finally {
      redis.disconnect();
    }
  });
});

describe('waiting for writes', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('goes on as long as some succeed, however slowly', async () => {
    const watch = new WriteWatch(new MemoryPlanStore());
    let waiting = 20;
    const step = async () => {
      vi.advanceTimersByTime(4_000);
      await watch.apply('agent', []);
      waiting--;
    };
    await settleWrites({ watch, pending: () => waiting, atMost: 5, step });
    expect(waiting).toBe(5);
  });

  it('ends with the reason where none succeeds for 5 seconds', async () => {
    const store = new MemoryPlanStore();
    const away = new StoreError('unavailable', 'It is away.');
    vi.spyOn(store, 'apply').mockRejectedValue(away);
    const watch = new WriteWatch(store);
    let steps = 0;
    const step = async () => {
      steps++;
      vi.advanceTimersByTime(1_000);
      await watch.apply('agent', []).catch(() => {});
    };
    await expect(settleWrites({ watch, pending: () => 1, atMost: 0, step })).rejects.toBe(away);
    expect(steps).toBe(6);
  });
});
