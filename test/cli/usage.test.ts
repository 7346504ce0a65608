import { readdirSync, readFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { shownUrl } from '../../src/cli/store-url.ts';
import { isColoured } from '../../src/cli/style.ts';
import { captureFile } from '../support/captures.ts';
import { spanplan } from './cli-process.ts';
import { command } from './in-process.ts';
import { workFolder } from './work-folder.ts';

describe('exit status 2, with the usage', () => {
  it.each([
    ['no command', [], 'Usage: spanplan [options] [command]'],
    ['an unknown command', ['lern'], "unknown command 'lern'"],
    ['an unknown option', ['plan', '--al'], "unknown option '--al'"],
    ['no file', ['learn'], 'Usage: spanplan learn [options] <files...>'],
    ['too many arguments', ['plan', 'a', 'b'], 'too many arguments'],
    ['no URL of a store', ['agents', '--store', 'mysql://x'], 'That is no URL of a store'],
    ['a bound that is no number', ['learn', '--max-groups', '0', 'x'], 'not a whole number above 0'],
    [
      'options that contradict',
      ['learn', '--input', 'runs', '--explain', 'x'],
      "cannot be used with '--input runs'",
    ],
    ['a URL that cannot be read', ['plan', '--store', 'redis://:hunter2@[x'], 'The Redis URL cannot be read'],
    ['a URL with a slash missing', ['plan', '--store', 'redis:/u:hunter2@h'], 'looks like redis://HOST:PORT'],
    ['a password with a slash', ['plan', '--store', 'redis://:hun@ter2/hunter2@h'], 'is not a number'],
    ['a broken escape', ['plan', '--store', 'redis://%zz:hunter2@h'], 'write it as %25'],
    ['no directory', ['plan', '--store', 'lmdb:'], 'names a directory'],
  ])('for %s', async (_, args, text) => {
    const result = await command(...args);
    expect(result).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining(text) });
    expect(result.stderr).not.toMatch(/hunter2|\n\s+at /);
  });
});

it('is the exit status of the process', async () => {
  const result = await spanplan(['plan', '--al'], { cwd: workFolder() });
  expect(result).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('--al') });
});

describe('the store', () => {
  it('is the one that SPANPLAN_STORE names, unless an option says otherwise', async () => {
    const cwd = workFolder();
    const env = { SPANPLAN_STORE: 'lmdb:./elsewhere' };
    await spanplan(['learn', captureFile('ai6-parallel')], { cwd, env });
    expect(readdirSync(cwd)).toEqual(['elsewhere']);
    const agents = async (args: readonly string[], setting: Record<string, string>) =>
      JSON.parse((await spanplan(['agents', '--json', ...args], { cwd, env: setting })).stdout).length;
    expect(await agents([], env)).toBe(1);
    expect(await agents(['--store', 'memory:'], env)).toBe(0);
    expect(await agents(['--store', 'lmdb:./elsewhere'], {})).toBe(1);
    expect(await agents([], { SPANPLAN_STORE: '' })).toBe(0);
  });

  it('is found no better for being named by a variable', async () => {
    const env = { SPANPLAN_STORE: 'mysql://x:hunter2@h' };
    const { status, stderr } = await spanplan(['plan'], { cwd: workFolder(), env });
    expect(status).toBe(2);
    expect(stderr).toContain('SPANPLAN_STORE');
    expect(stderr).not.toContain('hunter2');
  });
});

describe('help', () => {
  it.each(['learn', 'plan', 'agents', 'runs', 'forget'])('of %s shows examples', async (name) => {
    const { status, stdout } = await command(name, '--help');
    expect(status).toBe(0);
    expect(stdout).toMatch(new RegExp(`Examples:\\n  \\$ spanplan ${name}`));
  });

  it('tells the version', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(await spanplan(['--version'], { cwd: workFolder() })).toEqual({
      status: 0,
      stdout: `${version}\n`,
      stderr: '',
    });
  });
});

describe('colours', () => {
  it.each([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [false, { FORCE_COLOR: '1' }, true],
    [true, { FORCE_COLOR: '0' }, false],
    [false, { NO_COLOR: '1', FORCE_COLOR: '1' }, false],
    [true, { TERM: 'dumb' }, false],
  ])('on a terminal: %s, with %j: %s', (isTerminal, env, expected) => {
    expect(isColoured(isTerminal, env)).toBe(expected);
  });

  it('are in the output only where they are wanted', async () => {
    const cwd = workFolder();
    const args = ['learn', '--store', 'memory:', captureFile('ai6-parallel')];
    const plain = await spanplan(args, { cwd });
    const coloured = await spanplan(args, { cwd, env: { FORCE_COLOR: '1' } });
    expect(plain.stdout).not.toContain('\x1b');
    expect(coloured.stdout).toContain('\x1b[32mfetch + search + weather\x1b[39m');
    // nothing but the colours differs
    expect(stripVTControlCharacters(coloured.stdout)).toBe(plain.stdout);
  });
});

describe('a store URL as it is shown', () => {
  it.each([
    ['redis://localhost:6379/1', 'redis://localhost:6379/1'],
    ['rediss://user:secret@host:1', 'rediss://host:1/0'],
    ['redis://:secret@host?password=secret', 'redis://host:6379/0'],
    ['lmdb:./.spanplan', 'lmdb:./.spanplan'],
    ['unix:/run/redis.sock', 'unix:/run/redis.sock'],
    ['redis+unix://user:secret@/run/redis.sock', 'unix:/run/redis.sock'],
    ['unix:/run/redis.sock?user=me&pass=secret&db=2', 'unix:/run/redis.sock?db=2'],
  ])('%s is %s', (url, shown) => {
    expect(shownUrl(url)).toBe(shown);
  });
});
