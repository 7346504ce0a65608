import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DurableQueue } from '../../src/sidecar/forward/durable-queue.ts';
import { Forwarder } from '../../src/sidecar/forward/forwarder.ts';
import { spanplan } from '../cli/cli-process.ts';
import { startHttpUpstream, until } from './forwarder-upstreams.ts';

const CHILD = fileURLToPath(new URL('durable-queue-child.ts', import.meta.url));
const TSX = import.meta.resolve('tsx');

const closers: (() => unknown)[] = [];
let directory = '';
let storage = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'spanplan-owner-'));
  storage = join(directory, 'queue');
  closers.push(() => rmSync(directory, { recursive: true, force: true }));
});

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Another process that takes requests into the queue; resolves once it has taken some. */
async function startHolder(endpoint: string) {
  const child = spawn(process.execPath, ['--import', TSX, CHILD, storage, endpoint, 'h'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  closers.push(() => void child.kill('SIGKILL'));
  const accepted = new Set<string>();
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) accepted.add(line);
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const ended = once(child, 'close');
  return { child, accepted, ended, errors: () => errors };
}

describe('the directory of a durable queue', () => {
  it('belongs to one process: a second sidecar does not start, and says what to do', async () => {
    const upstream = await startHttpUpstream(() => {});
    closers.push(() => upstream.close());
    const { child, accepted } = await startHolder(upstream.url);
    await until(() => accepted.size > 8);
    const exporter = `otlphttp: {endpoint: "${upstream.url}", sending_queue: {storage: ${storage}}}`;
    writeFileSync(join(directory, 's.yaml'), `exporters: {memory: , ${exporter}}`);
    const free = ['--http', '127.0.0.1:0', '--grpc', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
    const second = await spanplan(['serve', '--config', 's.yaml', ...free], { cwd: directory });
    expect(second.stderr).toContain(
      `error: Nothing can be forwarded: the queue in ${storage} (sending_queue.storage) cannot be opened: ` +
        `another process (${child.pid}) delivers what rests there; stop that one first, or give each a directory of its own.`,
    );
    expect(second.status).toBe(1);
    expect(child.exitCode).toBeNull();
  });

  it('is free at once when its owner was killed, with all that the owner accepted', async () => {
    const mute = await startHttpUpstream(() => {});
    closers.push(() => mute.close());
    const { child, accepted, ended } = await startHolder(mute.url);
    await until(() => accepted.size > 8);
    child.kill('SIGKILL');
    await ended;
    const upstream = await startHttpUpstream();
    closers.push(() => upstream.close());
    const forwarder = await Forwarder.open({ endpoint: upstream.url, protocol: 'http', queue: { storage } });
    closers.push(() => forwarder.close());
    await forwarder.drain(10_000);
    const arrived = new Set(upstream.received.map(({ body }) => body.toString().trim()));
    expect([...accepted].filter((name) => !arrived.has(name))).toEqual([]);
  });

  it('goes to one of those that start together', async () => {
    const upstream = await startHttpUpstream();
    closers.push(() => upstream.close());
    const all = await Promise.all(Array.from({ length: 3 }, () => startHolder(upstream.url)));
    await until(() => all.filter(({ child }) => child.exitCode !== null).length === 2, 20_000);
    const [winner, ...others] = [...all].sort((a, b) => b.accepted.size - a.accepted.size);
    await until(() => (winner?.accepted.size ?? 0) > 0);
    expect(winner?.child.exitCode).toBeNull();
    for (const { accepted, errors } of others) {
      expect(accepted.size).toBe(0);
      expect(errors()).toContain(`another process (${winner?.child.pid})`);
    }
  });

  it('is not shared within a process either, and free after close', async () => {
    const first = await DurableQueue.open(storage);
    closers.push(() => first.close());
    await expect(DurableQueue.open(storage)).rejects.toThrow(`another process (${process.pid})`);
    await expect(DurableQueue.open(storage)).rejects.toThrow('of its own');
    await first.close();
    await (await DurableQueue.open(storage)).close();
  });
});
