import { execFile } from 'node:child_process';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { builtPackage, REPOSITORY, withLock } from './built-package.ts';

const run = promisify(execFile);
const TREE = join(REPOSITORY, 'test/sdk3');
const STAMP = join(TREE, 'node_modules/.installed-from');
const NODE = [22, 15] as const;

export interface Sdk3Tree {
  readonly folder: string;
  /** A Node that the SDK 3.x runs on. */
  readonly node: string;
}

/**
 * The tree of test/sdk3 with its packages and the built spanplan in it. Installed where it is not, from its own lock.
 * @throws Error that names what this machine cannot give.
 */
export async function sdk3Tree(): Promise<Sdk3Tree> {
  const built = await builtPackage();
  await withLock('sdk3', async () => {
    await install();
    const home = join(TREE, 'node_modules/spanplan');
    await rm(home, { recursive: true, force: true });
    await cp(join(built, 'node_modules/spanplan'), home, { recursive: true });
  });
  return { folder: TREE, node: await newNode() };
}

async function install(): Promise<void> {
  const lock = await readFile(join(TREE, 'package-lock.json'), 'utf8');
  if ((await readFile(STAMP, 'utf8').catch(() => '')) === lock) return;
  try {
    // As flags, since the settings of an npm that runs this test come by the environment and win over the folder's own.
    await run('npm', ['ci', '--engine-strict=false', '--ignore-scripts'], { cwd: TREE });
  } catch (error) {
    throw new Error(`npm ci in test/sdk3 failed, so the SDK 3.x cannot be tested: ${reasonOf(error)}`);
  }
  await writeFile(STAMP, lock);
}

/** The Node that came with the tree; on other platforms this one, if it is new enough. */
async function newNode(): Promise<string> {
  const packaged = join(TREE, `node_modules/node-${process.platform}-${process.arch}/bin/node`);
  const found = await run(packaged, ['--version']).then(
    () => packaged,
    () => undefined,
  );
  if (found !== undefined) return found;
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > NODE[0] || (major === NODE[0] && minor >= NODE[1])) return process.execPath;
  throw new Error(
    `the SDK 3.x needs Node ${NODE.join('.')} or newer: there is no package of it for ${process.platform}-${process.arch}, ` +
      `and this is Node ${process.versions.node}`,
  );
}

function reasonOf(error: unknown): string {
  const { stderr, message } = error as { readonly stderr?: string; readonly message?: string };
  return stderr || message || String(error);
}
