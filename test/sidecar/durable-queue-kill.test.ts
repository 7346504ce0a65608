import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { DurableQueue } from '../../src/sidecar/forward/durable-queue.ts';
import { Forwarder } from '../../src/sidecar/forward/forwarder.ts';
import { startHttpUpstream, success } from './forwarder-upstreams.ts';

const CHILD = fileURLToPath(new URL('durable-queue-child.ts', import.meta.url));
const TSX = import.meta.resolve('tsx');
const LOOPS = 5;

it('after kill -9, again and again, all that was accepted arrives', async () => {
  const storage = mkdtempSync(join(tmpdir(), 'spanplan-queue-'));
  let isGood = false;
  const upstream = await startHttpUpstream((request, response, count) => {
    if (isGood || count % 3 === 0) success(request, response);
    else if (count % 3 === 1) response.writeHead(503).end();
    else response.destroy();
  });
  const accepted = new Set<string>();
  try {
    for (let loop = 0; loop < LOOPS; loop++) {
      const names = await runUntilKilled([storage, upstream.url, String(loop)], 40 + loop * 60);
      expect(names.length).toBeGreaterThanOrEqual(40);
      for (const name of names) accepted.add(name);
    }
    isGood = true;
    const forwarder = await Forwarder.open({ endpoint: upstream.url, protocol: 'http', queue: { storage } });
    expect(forwarder.stats.received).toBeGreaterThan(0); // else the kills came when nothing rested
    await forwarder.drain(15_000);
    expect(forwarder.stats).toMatchObject({
      queuedRequests: 0,
      dropped: { unreadable: 0, retry_expired: 0 },
    });
    await forwarder.close();
    const arrived = new Set(upstream.received.map(({ body }) => body.toString().trim()));
    expect([...accepted].filter((name) => !arrived.has(name))).toEqual([]);
    expect(upstream.received.some(({ body }) => body.length > 10_000)).toBe(true);
    const queue = await DurableQueue.open(storage);
    expect([...queue.entries()]).toEqual([]);
    await queue.close();
  } finally {
    await upstream.close();
    rmSync(storage, { recursive: true, force: true });
  }
});

/** @returns the names that were accepted before the process was killed, at some moment after so many. */
function runUntilKilled(args: readonly string[], count: number): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', TSX, CHILD, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
      if (printed.split('\n').length > count) child.kill('SIGKILL');
    });
    child.on('error', reject);
    child.on('close', (_, signal) => {
      const names = printed.split('\n').slice(0, -1); // the last line may be torn
      if (signal === 'SIGKILL') resolve(names);
      else reject(new Error(`ended by itself after ${names.length}`));
    });
  });
}
