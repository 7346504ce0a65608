import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { redisClient } from '../support/redis.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { spanplan, startSpanplan } from './cli-process.ts';
import { command } from './in-process.ts';
import { workFolder } from './work-folder.ts';

const FREE = ['--http', '--grpc', '--admin'].flatMap((flag) => [flag, '127.0.0.1:0']);

describe('spanplan serve does not start', () => {
  it.each([
    ['a store that is none', ['--store', 'postgres://u:hunter2@h'], 1, '--store: expected lmdb:PATH'],
    [
      'a flag that is wrong',
      ['--http', 'hunter2'],
      2,
      '--http: receivers.otlp.protocols.http.endpoint: expected',
    ],
    [
      'keys where there are none',
      ['--key-prefix', 'zz:'],
      2,
      '--key-prefix: expected only with plans in Redis',
    ],
    [
      'no file',
      ['--config', 'nowhere.yaml'],
      1,
      'There is no file nowhere.yaml; --config names a file in YAML',
    ],
  ])('with %s: status', async (_, args, status, text) => {
    const result = await command('serve', ...FREE, ...args);
    expect(result).toMatchObject({ status, stdout: '', stderr: expect.stringContaining(text) });
    expect(result.stderr).not.toContain('hunter2');
  });

  it('with a directory for a configuration', async () => {
    const folder = workFolder();
    const { status, stderr } = await command('serve', '--config', folder);
    expect([status, stderr]).toEqual([
      1,
      `error: ${folder} is a directory; --config names a file in YAML, and may be left out.\n`,
    ]);
  });

  it('with certificates that are missing, which are named with key and line', async () => {
    const folder = workFolder();
    const file = join(folder, 'c.yaml');
    mkdirSync(join(folder, 'd'));
    writeFileSync(
      file,
      `extensions:\n  admin:\n    tls:\n      cert_file: ${folder}/nope\n      key_file: ${folder}/d\n`,
    );
    const { status, stderr } = await command('serve', ...FREE, '--config', file);
    expect(status).toBe(1);
    expect(stderr.split('\n').slice(1)).toEqual([
      `  ${file}:4:18: extensions.admin.tls.cert_file: expected a file that can be read (ENOENT)`,
      `  ${file}:5:17: extensions.admin.tls.key_file: expected a file that can be read (it is no file)`,
      '',
    ]);
    // To look at a configuration is something else than to use it.
    expect((await command('config', '--config', file)).status).toBe(0);
  });

  it('with a directory for plans where there can be none', async () => {
    const { status, stderr } = await spanplan(['serve', ...FREE, '--store', 'lmdb:/proc/nope'], {
      cwd: workFolder(),
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error: The store at \/proc\/nope cannot be opened: .*\. Give another store /);
    expect(stderr).not.toContain('runs wait');
  });

  it('with a directory for the forwarding queue where there can be none', async () => {
    const folder = workFolder();
    const file = join(folder, 'c.yaml');
    writeFileSync(
      file,
      'exporters: {memory: , otlphttp: {endpoint: "http://127.0.0.1:9", sending_queue: {storage: /proc/q}}}',
    );
    const { status, stderr } = await spanplan(['serve', ...FREE, '--config', file], { cwd: folder });
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^error: Nothing can be forwarded: the queue in \/proc\/q \(sending_queue\.storage\) cannot be opened: .*\.\n$/,
    );
  });

  it('with a password that Redis does not know, and is gone as soon as it has said so', async () => {
    const redis = await startRedisServer({ tcp: true });
    onTestFinished(() => redis.dispose());
    const client = redisClient(redis.url);
    onTestFinished(() => client.disconnect());
    await client.config('SET', 'requirepass', 'right');
    const store = `redis://:hunter2@127.0.0.1:${redis.port}`;
    const child = startSpanplan(['serve', ...FREE, '--store', store], { cwd: workFolder() });
    const [text] = (await once(child.stderr, 'data')) as [Buffer];
    const told = performance.now();
    const [status] = (await once(child, 'exit')) as [number];
    expect(performance.now() - told).toBeLessThan(1_000);
    expect(status).toBe(1);
    expect(String(text)).toMatch(/^error: .*WRONGPASS.* Give another store with --store/);
    expect(String(text)).not.toContain('hunter2');
  });
});

it('an empty store says how to fill it, by serve too', async () => {
  const { stdout } = await command('agents', '--store', 'memory:');
  expect(stdout).toContain('(spanplan learn traces.json --store memory:)');
  expect(stdout).toContain('(spanplan serve --store memory:)');
});
