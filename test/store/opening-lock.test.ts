import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OpeningLock } from '../../src/store/lmdb/opening-lock.ts';

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'spanplan-lock-'));
  file = join(directory, 'opening.lock');
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(directory, { recursive: true, force: true });
});

/** Held by a process that was killed meanwhile. */
function left(): OpeningLock {
  writeFileSync(file, '1 killed');
  return new OpeningLock(directory);
}

function pass(millis: number): void {
  const now = performance.now() + millis;
  vi.spyOn(performance, 'now').mockReturnValue(now);
}

async function taken(lock: OpeningLock): Promise<string> {
  const owner = await lock.acquire(0);
  if (owner === undefined) throw new Error('held by another');
  return owner;
}

describe('OpeningLock', () => {
  it('is held by one at a time', async () => {
    const [one, other] = [new OpeningLock(directory), new OpeningLock(directory)];
    const owner = await taken(one);
    expect(other.isHeld).toBe(true);
    expect(await other.acquire(20)).toBeUndefined();
    const waiting = other.acquire(5_000);
    one.release(owner);
    const next = await waiting;
    expect(next).not.toBe(owner);
    expect(one.isOwnedBy(owner)).toBe(false);
    expect(other.isOwnedBy(next ?? '')).toBe(true);
  });

  it('is given to one of many at a time', async () => {
    let holders = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const lock = new OpeningLock(directory);
        const owner = await lock.acquire(10_000);
        most = Math.max(most, ++holders);
        await new Promise((resolve) => setTimeout(resolve, 1));
        holders--;
        lock.release(owner ?? '');
      }),
    );
    expect(most).toBe(1);
    expect(existsSync(file)).toBe(false);
  });

  it('can be had without the event loop, or not, but never throws', async () => {
    const [one, other] = [new OpeningLock(directory), new OpeningLock(directory)];
    const owner = one.acquireNow(0) ?? '';
    expect(one.isOwnedBy(owner)).toBe(true);
    const before = performance.now();
    expect(other.acquireNow(20)).toBeUndefined();
    expect(performance.now() - before).toBeGreaterThanOrEqual(20);
    one.release(owner);
    rmSync(directory, { recursive: true });
    expect(other.acquireNow(0)).toBeUndefined();
  });

  it('is had already where the event loop stands still for good while we have it', async () => {
    const lock = new OpeningLock(directory);
    const owner = await lock.acquire(0);
    expect(owner).toBeDefined();
    expect(lock.acquireNow(0)).toBe(owner);
    lock.release(owner ?? '');
    expect(lock.acquireNow(0)).not.toBe(owner);
    expect(existsSync(file)).toBe(true);
  });

  it('goes on from a process that was killed, once it was seen unchanged for five seconds', async () => {
    const lock = left();
    lock.removeStale();
    pass(4_999);
    lock.removeStale();
    expect(lock.isHeld).toBe(true);
    pass(1);
    lock.removeStale();
    expect(lock.isHeld).toBe(false);
  });

  it('is not taken from one that follows another', async () => {
    const lock = left();
    lock.removeStale();
    pass(4_000);
    writeFileSync(file, '2 alive');
    lock.removeStale();
    pass(4_000);
    lock.removeStale();
    expect(lock.isHeld).toBe(true);
    rmSync(file);
    lock.removeStale();
    writeFileSync(file, '2 alive');
    pass(4_000);
    lock.removeStale();
    expect(lock.isHeld).toBe(true);
  });

  it('is not released for those who took it over', async () => {
    const lock = new OpeningLock(directory);
    const owner = await taken(lock);
    writeFileSync(file, '2 alive');
    expect(lock.isOwnedBy(owner)).toBe(false);
    lock.release(owner);
    expect(lock.isHeld).toBe(true);
  });

  it('says where the file cannot be made', async () => {
    rmSync(directory, { recursive: true });
    await expect(new OpeningLock(directory).acquire(0)).rejects.toThrow('ENOENT');
  });
});
