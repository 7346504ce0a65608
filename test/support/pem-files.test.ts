import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type PemContents, PemFiles } from '../../src/support/pem-files.ts';
import { captureWarnings } from './captured-warnings.ts';

const FIXTURES = fileURLToPath(new URL('../fixtures/tls/', import.meta.url));
const pem = (name: string) => readFileSync(join(FIXTURES, name));

let folder = '';
let warnings: ReturnType<typeof captureWarnings>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spanplan-pem-'));
  warnings = captureWarnings();
  install('ca.crt', 'authority.crt');
  installPair('client');
});

afterEach(() => {
  warnings.stop();
  rmSync(folder, { recursive: true });
});

const file = (name: string) => join(folder, name);
const install = (as: string, name: string) => copyFileSync(join(FIXTURES, name), file(as));

function installPair(name: string): void {
  install('client.crt', `${name}.crt`);
  install('client.key', `${name}.key`);
}

/** The files as they were at first, and what a further look brings, if it brings anything. */
async function load() {
  const paths = { certFile: file('client.crt'), keyFile: file('client.key'), caFile: file('ca.crt') };
  const files = await PemFiles.load(paths);
  const applied: PemContents[] = [];
  const look = async (times = 1) => {
    for (; times > 0; times--) await files.look((contents) => applied.push(contents));
    return applied.splice(0);
  };
  return { files, look };
}

const mismatch = () =>
  `spanplan: the certificate in ${file('client.crt')} and the key in ${file('client.key')} cannot be used together`;

it('files that did not change bring nothing, and new ones that match come once', async () => {
  const { files, look } = await load();
  expect(await look(2)).toEqual([]);
  installPair('stranger');
  const contents = { cert: pem('stranger.crt'), key: pem('stranger.key'), ca: pem('authority.crt') };
  expect(await look(2)).toEqual([contents]);
  expect(files.contents).toEqual(contents);
  expect(warnings.lines).toEqual([]);
});

it('a certificate without its key stays unused until the key has come, and is told of once', async () => {
  const { files, look } = await load();
  install('client.crt', 'stranger.crt');
  expect(await look(3)).toEqual([]);
  expect(files.contents.cert).toEqual(pem('client.crt'));
  expect(warnings.lines).toEqual([expect.stringContaining(mismatch())]);
  expect(warnings.lines[0]).toMatch(/; the certificate read before stays in use$/);
  install('client.key', 'stranger.key');
  expect(await look(2)).toHaveLength(1);
  expect(files.contents.cert).toEqual(pem('stranger.crt'));
});

it('what was put back and spoiled again is told of again', async () => {
  const { look } = await load();
  for (const episode of [1, 2]) {
    install('client.crt', 'stranger.crt');
    expect(await look(2)).toEqual([]);
    expect(warnings.lines).toHaveLength(episode);
    install('client.crt', 'client.crt');
    expect(await look(2)).toEqual([]);
  }
});

it.each([
  ['a file that is gone', () => rmSync(file('ca.crt')), 'cannot be read (ENOENT)'],
  ['half of a certificate', () => writeHalf(), 'ends in the middle of a certificate'],
  ['an empty file', () => writeFileSync(file('ca.crt'), ''), 'holds no certificate in PEM'],
])('%s stays unused and is told of once, without a word of what it holds', async (_, spoil, expected) => {
  const { look } = await load();
  spoil();
  expect(await look(2)).toEqual([]);
  expect(warnings.lines).toEqual([expect.stringContaining(`the file ${file('ca.crt')} ${expected}`)]);
  expect(warnings.lines.join()).not.toMatch(/BEGIN|MII/);
  install('ca.crt', 'other-authority.crt');
  expect(await look(2)).toHaveLength(1);
});

it('nothing comes of a look that closing overtook', async () => {
  const { files, look } = await load();
  installPair('stranger');
  const looked = look();
  files.close();
  expect(await looked).toEqual([]);
  rmSync(file('client.key'));
  await look();
  expect(warnings.lines).toEqual([]);
});

function writeHalf(): void {
  const whole = pem('authority.crt').toString();
  writeFileSync(file('ca.crt'), whole.slice(0, whole.length / 2));
}
